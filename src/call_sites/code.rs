//! Cold: `Build`, which tells by its file whose code a frame is.

use super::names;
use super::paths::{
    folder_of, has_version, is_foreign, is_of_library, is_of_std, may_be_of_std, normal,
};

/// Whose code it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// Under the root of the build.
    User,
    /// Another package, or code that a build script wrote.
    Dependency,
    Std,
    /// This library.
    Library,
    #[default]
    Unknown,
}

/// A build, as its paths show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    /// An absolute path without a slash at its end, unless that is all of it. Where the user's
    /// paths are relative, as the compiler can be told to write others than it sees: `.` if they
    /// begin so, else empty.
    root: String,
}

impl Build {
    /// `location` is the file of a line of the user's, as the compiler names it for `Location`:
    /// relative to the folder that it runs in. `files`, of frames, the likeliest to be the same
    /// first. `fallbacks`, folders that tell which of several files of the same name it is (that of
    /// this library? of a package that wraps it?), and to try without such a frame.
    pub(crate) fn find<'a>(
        location: &str,
        files: impl IntoIterator<Item = &'a str>,
        fallbacks: &[String],
    ) -> Self {
        let location = normal(location);
        let mut fallbacks = fallbacks.iter().map(|folder| normal(folder).into_owned());
        if location.starts_with('/') {
            let root = fallbacks.find(|root| under(root, &location).is_some());
            return Self { root: root.unwrap_or_else(|| folder_of(&location).to_owned()) };
        }
        let fallbacks: Vec<String> = fallbacks.collect();
        let is_of_test = |root: &str| {
            fallbacks.iter().any(|folder| folder == root || under(root, folder).is_some())
        };
        let mut first = None;
        for root in files.into_iter().filter_map(|file| root_of(file, &location)) {
            if is_of_test(&root) {
                return Self { root };
            }
            first = first.or(Some(root));
        }
        Self { root: first.or_else(|| fallbacks.into_iter().next()).unwrap_or_default() }
    }

    /// `krate` is that of the function, if its name says it.
    pub(crate) fn owner(
        &self,
        function: Option<&str>,
        krate: Option<&str>,
        file: Option<&str>,
    ) -> Owner {
        let raw = file;
        let file = file.map(normal);
        let by_name = match function {
            Some(_) if krate == Some("mod_alloc") => Some(Owner::Library),
            Some(function) if names::is_of_std(function, krate) => Some(Owner::Std),
            _ => None,
        };
        match (by_name, file) {
            (_, Some(file)) if is_of_library(&file) => Owner::Library,
            // A user's crate may be named as one of those: `tests/alloc.rs` is one.
            (Some(_), Some(file))
                if self.is_known_users(&file)
                    && !function.is_some_and(names::is_made_by_compiler) =>
            {
                Owner::User
            }
            (Some(owner), _) => owner,
            (None, None) => Owner::Unknown,
            (None, Some(file)) if is_of_std(&file) => Owner::Std,
            (None, Some(file)) if self.is_users(raw.unwrap_or(""), &file) => Owner::User,
            (None, Some(_)) => Owner::Dependency,
        }
    }

    /// Whether a file is certain to be the user's: not where paths are relative, as those of others
    /// may be, too.
    fn is_known_users(&self, file: &str) -> bool {
        let is_users = |path| !is_foreign(path) && !is_of_std(file);
        !self.root.is_empty() && under(&self.root, file).is_some_and(is_users)
    }

    /// Whether a file is the user's: `raw`, as the compiler wrote it down, and `file`, the same
    /// made plain.
    fn is_users(&self, raw: &str, file: &str) -> bool {
        let are_relative = !self.root.starts_with('/');
        match under(&self.root, file) {
            Some(_) if self.root == "." && !raw.starts_with("./") => false,
            // Others' paths may be relative, too.
            Some(path) => !(is_foreign(path) || are_relative && has_version(path)),
            None => self.beside(file).is_some(),
        }
    }

    /// A file of a package that lies near the root but not under it, as `path = "../core"` may say:
    /// how many folders up from the root, and the path from there.
    fn beside<'f>(&self, file: &'f str) -> Option<(usize, &'f str)> {
        const MAX_UP: usize = 3;
        let mut folder = self.root.as_str();
        for up in 1..=MAX_UP {
            folder = folder_of(folder);
            if folder == "/" {
                return None; // All that there is lies under it.
            }
            if let Some(path) = under(folder, file) {
                let is_others = is_foreign(path) || has_version(path) || may_be_of_std(file);
                return (path.ends_with(".rs") && !is_others).then_some((up, path));
            }
        }
        None
    }

    /// A file of the root's.
    pub(crate) fn file(&self, relative: &str) -> String {
        format!("{}/{relative}", self.root.trim_end_matches('/'))
    }

    /// A file of the user's as a path from the root.
    pub(crate) fn relative(&self, file: &str) -> String {
        let file = normal(file);
        match (under(&self.root, &file), self.beside(&file)) {
            (Some(path), _) => path.to_owned(),
            (None, Some((up, path))) => "../".repeat(up) + path,
            (None, None) => file.into_owned(),
        }
    }
}

/// What remains of `file`, a frame's, if it is `location` below a root. Of the same name may be a
/// file of this library.
fn root_of(file: &str, location: &str) -> Option<String> {
    let name = &location[location.rfind('/').map_or(0, |slash| slash + 1)..];
    if !file.ends_with(name) {
        return None; // Nearly all, and sooner seen than what follows.
    }
    let (raw, file) = (file, normal(file));
    let before = file.strip_suffix(location)?;
    let is_whole = before.is_empty() || before.ends_with('/');
    (is_whole && !is_of_library(&file)).then(|| match before {
        "" if file.len() < raw.len() && raw.starts_with("./") => ".".to_owned(),
        "" => String::new(),
        _ => folder_of(before).to_owned(),
    })
}

/// What remains of `file` below `root`.
fn under<'a>(root: &str, file: &'a str) -> Option<&'a str> {
    match root {
        // C libraries may come with relative paths of their own.
        "" | "." => (!file.starts_with('/') && file.ends_with(".rs")).then_some(file),
        "/" => file.strip_prefix('/'),
        _ => file.strip_prefix(root)?.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests;
