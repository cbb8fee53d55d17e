//! Cold: `Build`, which tells whose code a frame is, by the file that it is in.

use super::names;
use super::paths::{
    folder_of, has_version, is_foreign, is_of_library, is_of_std, may_be_of_std, normal,
};
use crate::files::is_absolute;

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

/// What a file alone tells of whose code it has.
#[derive(Clone, Copy)]
pub(super) struct FileOwner {
    owner: Owner,
    /// Whether it is certainly the user's. It is not certain where paths are relative, since those
    /// of others may be relative, too.
    is_known_users: bool,
}

/// A build, as its paths show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    /// An absolute path, without a slash at its end unless it is `/`. The compiler can be told to
    /// write relative paths for the user's files: then this is `.` if they begin with `./`, else
    /// empty.
    root: String,
}

impl Build {
    /// `location` is the file of a line of the user's, as the compiler names it for `Location`:
    /// relative to the folder that the compiler runs in. `files` are those of frames; the one that
    /// is most likely the same file comes first. Several may have that name: one of this library,
    /// one of a package that wraps it. Then `fallbacks` decide, which are folders that may be in
    /// the workspace. The first of them is the root where no frame has that file.
    pub(crate) fn find(location: &str, files: &[&str], fallbacks: &[String]) -> Self {
        let location = normal(location);
        let fallbacks: Vec<String> =
            fallbacks.iter().map(|folder| normal(folder).into_owned()).collect();
        if is_absolute(&location) {
            let root = fallbacks.into_iter().find(|root| under(root, &location).is_some());
            return Self { root: root.unwrap_or_else(|| folder_of(&location).to_owned()) };
        }
        let is_of_test = |root: &str| {
            fallbacks.iter().any(|folder| folder == root || under(root, folder).is_some())
        };
        let mut first = None;
        for root in files.iter().filter_map(|file| root_of(file, &location)) {
            if is_of_test(&root) {
                return Self { root };
            }
            first = first.or(Some(root));
        }
        Self { root: first.or_else(|| fallbacks.into_iter().next()).unwrap_or_default() }
    }

    /// `raw` is the path as the compiler wrote it down.
    pub(super) fn file_owner(&self, raw: &str) -> FileOwner {
        let file = &*normal(raw);
        let is_std = is_of_std(file);
        let is_known = |path: &str| !is_std && !is_foreign(path);
        let owner = match () {
            () if is_of_library(file) => Owner::Library,
            () if is_std => Owner::Std,
            () if self.is_users(raw, file) => Owner::User,
            () => Owner::Dependency,
        };
        let is_known_users = !self.root.is_empty() && under(&self.root, file).is_some_and(is_known);
        FileOwner { owner, is_known_users }
    }

    /// `krate` is the crate of the function, if its name says that.
    pub(super) fn owner(
        function: Option<&str>,
        krate: Option<&str>,
        file: Option<FileOwner>,
    ) -> Owner {
        let by_name = match function {
            Some(_) if krate == Some("mod_alloc") => Some(Owner::Library),
            Some(function) if names::is_of_std(function, krate) => Some(Owner::Std),
            _ => None,
        };
        match (by_name, file) {
            (_, Some(FileOwner { owner: Owner::Library, .. })) => Owner::Library,
            // A user's crate may have the name of one of those: that of `tests/alloc.rs` has.
            (Some(_), Some(file))
                if file.is_known_users && !function.is_some_and(names::is_made_by_compiler) =>
            {
                Owner::User
            }
            (Some(owner), _) => owner,
            (None, None) => Owner::Unknown,
            (None, Some(file)) => file.owner,
        }
    }

    /// Whether a file is the user's. `raw` is its path as the compiler wrote it down, `file` is the
    /// same without `.` and `..`.
    fn is_users(&self, raw: &str, file: &str) -> bool {
        let are_relative = !is_absolute(&self.root);
        match under(&self.root, file) {
            Some(_) if self.root == "." && !raw.starts_with("./") => false,
            // Paths of others may be relative, too.
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

    /// The path of a file below the root.
    pub(crate) fn file(&self, relative: &str) -> String {
        format!("{}/{relative}", self.root.trim_end_matches('/'))
    }

    /// The path from the root to a file of the user's.
    pub(crate) fn relative(&self, file: &str) -> String {
        let file = normal(file);
        match (under(&self.root, &file), self.beside(&file)) {
            (Some(path), _) => path.to_owned(),
            (None, Some((up, path))) => "../".repeat(up) + path,
            (None, None) => file.into_owned(),
        }
    }
}

/// The root, if `file`, which is that of a frame, is `location` below a root. It may also be a file
/// of this library that has the same name: then there is none.
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
        "" | "." => (!is_absolute(file) && file.ends_with(".rs")).then_some(file),
        "/" => file.strip_prefix('/'),
        _ => file.strip_prefix(root)?.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests;
