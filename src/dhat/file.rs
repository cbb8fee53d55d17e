//! Cold: writing a file so that nobody ever sees half of it.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Writes `text` to a temporary file beside `path`, which then takes its place.
///
/// # Errors
/// Those of the file system. What was at `path` before is still there.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one: the file that it leads to is written.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        // A device or a pipe must stay what it is, and a link that leads to nothing yet; a folder is an error.
        return fs::write(&path, text);
    }
    let temporary = temporary_name(&path);
    let result = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, &path));
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

/// `.NAME.PID-NUMBER.tmp`, which no other thread or process uses.
fn temporary_name(path: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{}.tmp", process::id(), NUMBER.fetch_add(1, Relaxed)));
    path.with_file_name(name)
}
