//! Cold: writes a file so that nobody ever sees half of it.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::Ordering::Relaxed;

use crate::sys::AtomicU64;

/// Writes `text` to a temporary file beside `path`, which then takes its place.
///
/// # Errors
/// Those of the file system. What was at `path` before is still there.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one: the file that it leads to is written.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        // A device or a pipe must stay what it is, and a link that leads to nothing yet; a folder
        // is an error.
        return fs::write(&path, text);
    }
    let temporary = temporary_name(&path);
    let result = write_new(&temporary, text)
        .and_then(|()| keep_permissions(&path, &temporary))
        .and_then(|()| fs::rename(&temporary, &path));
    if result.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Gives a file the permissions of the one that it is to replace, if there is one.
fn keep_permissions(of: &Path, to: &Path) -> io::Result<()> {
    match fs::metadata(of) {
        Ok(metadata) => fs::set_permissions(to, metadata.permissions()),
        Err(_) => Ok(()),
    }
}

/// `.NAME.PID-NUMBER.tmp`, which no other thread or process uses.
fn temporary_name(path: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}.tmp", process::id(), NUMBER.fetch_add(1, Relaxed)));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::write;

    /// A folder of its own, empty.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mod-alloc-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    fn names_in(folder: &PathBuf) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("it is there");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("readable"))).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_takes_the_place_of_the_one_before() {
        let folder = folder("replace");
        // Windows has no such names.
        let name = if cfg!(windows) { "a \u{e9}.json" } else { "\"a\" \u{e9}.json" };
        let path = folder.join(name);
        write(&path, "first, and long").expect("it is written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("it is ours");
        }
        write(&path, "second").expect("it is written");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "second");
        assert_eq!(names_in(&folder), [name], "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o640, "it has the permissions of the one before");
        }
        fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = folder("errors");
        write(&folder.join("none/a.json"), "text").expect_err("there is no such folder");
        write(&folder, "text").expect_err("it is a folder");
        write(&folder.join(".."), "text").expect_err("it is a folder");
        assert_eq!(names_in(&folder), [""; 0]);
        fs::remove_dir_all(folder).expect("removable");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        use std::os::unix::fs::{symlink, FileTypeExt};

        let folder = folder("links");
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "before").expect("writable");
        symlink(&file, &link).expect("a link");
        write(&link, "after").expect("it is written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("readable"), "after");

        let null = folder.join("null");
        symlink("/dev/null", &null).expect("a link");
        write(&null, "text").expect("it is written");
        assert!(fs::metadata("/dev/null").expect("there").file_type().is_char_device());
        fs::remove_dir_all(folder).expect("removable");
    }
}
