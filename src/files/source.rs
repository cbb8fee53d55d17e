//! Cold: where the sources of this program are, if they are still there.

use super::slashes::with_slashes;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The root of the workspace in which `file` was compiled: Cargo runs the compiler where the lock
/// file is, and names files from there on. It is one of `folders`, or above one.
pub(crate) fn workspace<'a>(file: &str, folders: &'a [String]) -> Option<&'a Path> {
    let is_file = |path: PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file());
    let is_root = |folder: &&Path| is_file(folder.join("Cargo.lock")) && is_file(folder.join(file));
    folders.iter().find_map(|folder| Path::new(folder).ancestors().find(is_root))
}

/// The package whose test this is, if another one is at the root of its workspace.
pub(crate) fn member() -> Option<String> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")?;
    env::var("CARGO_PKG_NAME").ok().filter(|_| is_below_root(Path::new(&manifest)))
}

/// Whether the lock file, which is at the root of the workspace, is above this folder.
fn is_below_root(manifest: &Path) -> bool {
    let has_lock_file = |folder: &Path| folder.join("Cargo.lock").is_file();
    !has_lock_file(manifest) && manifest.ancestors().any(has_lock_file)
}

/// Folders that may be in the workspace.
pub(crate) fn folders() -> Vec<String> {
    let manifest = env::var("CARGO_MANIFEST_DIR").ok();
    let current =
        env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok());
    let mut folders = Vec::new();
    folders.extend(manifest);
    folders.extend(current);
    folders.iter_mut().for_each(|folder| *folder = with_slashes(folder).into_owned());
    folders
}

#[cfg(test)]
mod tests {
    use super::is_below_root;
    use std::path::Path;

    #[test]
    fn a_member_is_below_the_lock_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let check = |folder: &Path, expected| assert_eq!(is_below_root(folder), expected);
        check(root, false);
        check(&root.join("src"), true);
        check(Path::new("/"), false);
    }
}
