//! Cold: `lock_file`, a lock between processes that change a file.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Thousands of times as long as a lock is held.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file that is there as long as the lock is held.
pub(crate) struct FileLock {
    file: PathBuf,
}

/// Waits for the lock of the file at `path`. It is a file beside that, since Rust 1.75 has no other
/// lock between processes.
///
/// # Errors
/// Those of the file system; and which file to remove, if nobody gives the lock back.
pub(crate) fn lock_file(path: &Path) -> io::Result<FileLock> {
    lock_within(path, PATIENCE)
}

fn lock_within(path: &Path, patience: Duration) -> io::Result<FileLock> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let file = path.with_file_name(name);
    let start = Instant::now();
    loop {
        match OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(_) => return Ok(FileLock { file }),
            Err(error) if !is_held(&error) => return Err(error),
            Err(_) if start.elapsed() < patience => thread::sleep(Duration::from_millis(1)),
            Err(error) => {
                let file = file.display();
                let text = format!("has a process died that wrote it? Then remove {file}");
                return Err(io::Error::new(error.kind(), text));
            }
        }
    }
}

/// On Windows, a file that is being removed is there for a while, and cannot be opened.
fn is_held(error: &io::Error) -> bool {
    let kind = error.kind();
    kind == io::ErrorKind::AlreadyExists || cfg!(windows) && kind == io::ErrorKind::PermissionDenied
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // If that fails, the next one says which file to remove.
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::lock_within;

    #[test]
    fn a_lock_that_nobody_gives_back_is_an_error_that_names_its_file() {
        let name = format!("mod-alloc-{}-lock.txt", std::process::id());
        let path = std::env::temp_dir().join(name);
        let held = lock_within(&path, Duration::ZERO).expect("free");
        let error = lock_within(&path, Duration::ZERO).err().expect("held").to_string();
        assert!(error.ends_with("-lock.txt.lock"), "{error}");
        drop(held);
        drop(lock_within(&path, Duration::ZERO).expect("free again"));
    }
}
