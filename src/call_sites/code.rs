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
mod tests {
    use super::{names, Build, Owner};

    fn build(root: &str) -> Build {
        Build { root: root.to_owned() }
    }

    #[test]
    fn the_root_is_what_remains_of_a_path_that_ends_with_the_location() {
        let find = |location: &str, files: &[&str]| {
            Build::find(location, files.iter().copied(), &["/fallback".to_owned()]).root
        };
        let std = "/rustc/59807616/library/core/src/ops/function.rs";
        assert_eq!(find("tests/a.rs", &[std, "/users/u/p/tests/a.rs"]), "/users/u/p");
        assert_eq!(find("tests/a.rs", &["/x/p/tests/a.rs", "/y/p/tests/a.rs"]), "/x/p");
        assert_eq!(find("a.rs", &["/users/u/p/tests/data.rs"]), "/fallback", "not a whole name");
        assert_eq!(find("tests/../a.rs", &["/p/tests/../a.rs"]), "/p");
        assert_eq!(find("tests/a.rs", &["tests/a.rs"]), "", "the paths were rewritten");
        assert_eq!(find("tests/a.rs", &[std]), "/fallback");
        assert_eq!(find("src/a.rs", &["/src/a.rs"]), "/");
    }

    #[test]
    fn a_file_of_the_same_name_in_another_package_is_not_taken_for_the_users() {
        let find = |location: &str, files: &[&str], fallback: &str| {
            Build::find(location, files.iter().copied(), &[fallback.to_owned()]).root
        };
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src/process.rs");
        assert_eq!(find("src/process.rs", &[own, "/p/src/process.rs"], "/x"), "/p");
        let wrapper = "/registry/src/index-1/wrapper-1.0.0/src/lib.rs";
        let files = [wrapper, "/w/p/src/lib.rs"];
        assert_eq!(find("p/src/lib.rs", &files, "/w/p"), "/w");
        assert_eq!(find("src/lib.rs", &files, "/w/p"), "/w/p");
    }

    #[test]
    fn an_absolute_location_takes_the_folder_that_it_lies_in() {
        let fallbacks = ["/elsewhere".to_owned(), "/users/u/p".to_owned()];
        let find = |location| Build::find(location, [location], &fallbacks).root;
        assert_eq!(find("/users/u/p/src/a.rs"), "/users/u/p");
        assert_eq!(find("/gen/a.rs"), "/gen");
    }

    #[test]
    fn the_user_is_told_by_the_file() {
        let check = |file, expected| {
            let owner = build("/users/u/p").owner(Some("f"), None, Some(file));
            assert_eq!(owner, expected, "{file}");
        };
        check("/users/u/p/src/a.rs", Owner::User);
        check("/users/u/p/member/tests/a.rs", Owner::User);
        check("/users/u/p/./src/x/../a.rs", Owner::User);
        check("/users/u/p/src/vendor/mod.rs", Owner::User);
        check("/users/u/p/member/src/vendor/words/mod.rs", Owner::User);
        check("/users/u/p/tests/vendor/mod.rs", Owner::User);
        check("/users/u/p/vendor/mod.rs", Owner::User);
        check("/users/u/p/vendor/x/src/a.rs", Owner::Dependency);
        check("/users/u/p/vendor/x/a.rs", Owner::Dependency);
        check("/users/u/p/examples/vendor/x/src/a.rs", Owner::Dependency);
        check("/users/u/p/.cargo/registry/src/index-1/x-1.0.0/src/a.rs", Owner::Dependency);
        check("/users/u/p/.cargo/git/checkouts/x-1/2/src/a.rs", Owner::Dependency);
        check("/users/u/p/target/debug/build/p-0a1b2c3d/out/a.rs", Owner::Dependency);
        check("/users/u/p/target/debug/build/p/0a1b2c3d4e5f6071/out/a.rs", Owner::Dependency);
        check("/users/u/p/build/p/stage/out/a.rs", Owner::User);
        check("/users/u/.cargo/registry/src/index-1/x-1.0.0/src/a.rs", Owner::Dependency);
        check("/rustc/59807616/library/alloc/src/vec/mod.rs", Owner::Std);
        check("/usr/src/rustc-1.78.0/library/alloc/src/vec/mod.rs", Owner::Std);
        check("/users/u/.rustup/toolchains/x/lib/rustlib/src/rust/library/a.rs", Owner::Std);
        check(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs"), Owner::Library);
        check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/a.rs"), Owner::Dependency);
    }

    #[test]
    fn a_package_beside_the_root_is_the_users() {
        let check = |root, file, expected: Option<&str>| {
            let build = build(root);
            let is_user = build.owner(Some("f"), None, Some(file)) == Owner::User;
            assert_eq!(is_user.then(|| build.relative(file)).as_deref(), expected, "{file}");
        };
        check("/users/u/p", "/users/u/p2/src/a.rs", Some("../p2/src/a.rs"));
        check("/users/u/shop/app", "/users/u/shop/core/src/a.rs", Some("../core/src/a.rs"));
        check("/users/u/shop/app", "/users/u/libs/core/src/a.rs", Some("../../libs/core/src/a.rs"));
        check("/srv/vendor/p", "/srv/vendor/core/src/a.rs", Some("../core/src/a.rs"));
        check("/users/u/p", "/users/u/vendor/x/src/a.rs", None);
        check("/users/u/p", "/users/u/.cargo/registry/src/i/x-1.0.0/src/a.rs", None);
        check("/users/u/p", "/users/u/.cargo/git/checkouts/x-1/2/src/a.rs", None);
        check("/users/u/p", "/users/u/cache/x-1.0.0/src/a.rs", None);
        check("/users/u/p", "/users/u/rust/library/alloc/src/vec/mod.rs", None);
        check("/users/u/p", "/users/u/lib/a.c", None);
        check("/p", "/usr/src/x/a.rs", None);
        check("/a/b/c/d/e", "/a/x/src/a.rs", None);
    }

    #[test]
    fn folders_above_the_root_say_nothing() {
        let owner = build("/srv/vendor/p").owner(Some("f"), None, Some("/srv/vendor/p/src/a.rs"));
        assert_eq!(owner, Owner::User);
        let build = build("/");
        assert_eq!(build.owner(Some("f"), None, Some("/src/a.rs")), Owner::User);
        assert_eq!(build.relative("/src/a.rs"), "src/a.rs");
    }

    #[test]
    fn rewritten_paths_are_the_users_where_they_are_relative() {
        let check = |file, expected| {
            assert_eq!(build("").owner(Some("f"), None, Some(file)), expected, "{file}");
        };
        check("tests/a.rs", Owner::User);
        check("./tests/a.rs", Owner::User);
        check("vendor/x/src/a.rs", Owner::Dependency);
        check("./misc/../sysdeps/unix/sysv/linux/x86_64/clone3.S", Owner::Dependency);
        check("/cargo/registry/src/x-1/src/a.rs", Owner::Dependency);
        check("index.crates.io-1949cf8c6b5b557f/x-1.0.0/src/a.rs", Owner::Dependency);
        check("registry/x-1.0.0/src/a.rs", Owner::Dependency);
        let dot = Build::find("tests/a.rs", ["./tests/a.rs"], &[]);
        assert_eq!(dot, build("."));
        let check = |file, expected| {
            assert_eq!(dot.owner(Some("f"), None, Some(file)), expected, "{file}");
        };
        check("./tests/a.rs", Owner::User);
        check("./x-1.0.0/src/a.rs", Owner::Dependency);
        check("words-0a1b2c3d4e5f6071/36adb5e/src/a.rs", Owner::Dependency);
        assert_eq!(dot.relative("./tests/a.rs"), "tests/a.rs");
    }

    #[test]
    fn what_the_compiler_makes_for_the_users_code_is_not_the_users() {
        let check = |function, expected| {
            let owner =
                build("/p").owner(Some(function), names::crate_of(function), Some("/p/src/a.rs"));
            assert_eq!(owner, expected, "{function}");
        };
        check("core::ptr::drop_in_place<p::M>", Owner::Std);
        check("core::ops::function::FnOnce::call_once{{vtable.shim}}", Owner::Std);
        check("<p::M as core::ops::drop::Drop>::drop", Owner::User);
        check("<alloc::vec::Vec<u8> as p::T>::go", Owner::User);
        check("mod_alloc_user::check", Owner::User);
    }

    #[test]
    fn a_users_crate_may_have_the_name_of_another() {
        let check = |root: &str, function, file, expected| {
            let owner = build(root).owner(Some(function), names::crate_of(function), Some(file));
            assert_eq!(owner, expected, "{function}");
        };
        check("/p", "alloc::parse", "/p/tests/alloc.rs", Owner::User);
        check("/p", "core::tests::parse", "/p/tests/core.rs", Owner::User);
        check("/p", "std::parse::{{closure}}", "/p/tests/std.rs", Owner::User);
        check("/p", "mod_alloc::parse", "/p/tests/mod_alloc.rs", Owner::User);
        check("/p", "alloc::vec::push", "/rustc/5/library/alloc/src/vec/mod.rs", Owner::Std);
        check("/", "alloc::vec::push", "/rustc/5/library/alloc/src/vec/mod.rs", Owner::Std);
        check("/p", "mod_alloc::parse", "/p/vendor/mod-alloc/src/a.rs", Owner::Library);
        check("", "mod_alloc::budget::check", "src/budget/mod.rs", Owner::Library);
    }

    #[test]
    fn without_a_file_only_the_name_speaks() {
        let check = |function, expected| {
            assert_eq!(
                build("/p").owner(function, function.and_then(names::crate_of), None),
                expected,
                "{function:?}"
            );
        };
        check(Some("alloc::vec::from_elem"), Owner::Std);
        check(Some("<mod_alloc::ModAlloc as core::alloc::GlobalAlloc>::alloc"), Owner::Library);
        check(Some("main"), Owner::Unknown);
        check(None, Owner::Unknown);
    }
}
