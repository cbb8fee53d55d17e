//! Cold: writes numbers to their sources, and keeps what was written. A source that was rewritten
//! is newer than the program: whoever comes to a number again finds here what stands there now.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::refusal::Refusal;
use super::text::{replaced, Key, Number};
use crate::counters::AtWork;
use crate::files::{self, lock};
use crate::number::{counted, grouped};

/// A number of a budget in this process.
struct Noted {
    file: &'static str,
    line: u32,
    column: u32,
    /// What was measured: for `exact` by the first run, for `max` at most.
    measured: u64,
    /// What stands in the source, if it was written.
    written: Option<u64>,
    /// Whether it is left alone. That of a `max` is not tried again.
    is_left_alone: bool,
}

/// Writes what was `measured` in place of `number`. Returns what stood there, if something is
/// written now.
///
/// # Errors
/// Why the number stays as it is.
pub(super) fn write(
    at_work: AtWork<'_>,
    file: &'static str,
    number: &Number,
    measured: u64,
) -> Result<Option<(u64, u64)>, Refusal> {
    static ALL: Mutex<Vec<Noted>> = Mutex::new(Vec::new());
    let Some(mut all) = lock(at_work, &ALL) else {
        let why = "this process was forked while another thread wrote: test it without forks";
        return Err(Refusal::Error(why.to_owned()));
    };
    let Number { line, column, .. } = *number;
    let is_it = |noted: &Noted| (noted.file, noted.line, noted.column) == (file, line, column);
    let at = all.iter().position(is_it).unwrap_or(all.len());
    if at == all.len() {
        let (written, is_left_alone) = (None, false);
        all.push(Noted { file, line, column, measured, written, is_left_alone });
    }
    all[at].write(number, measured)
}

impl Noted {
    fn write(&mut self, number: &Number, measured: u64) -> Result<Option<(u64, u64)>, Refusal> {
        let before = self.written.unwrap_or(number.value);
        let wanted = match number.key {
            Key::Exact => measured,
            Key::Max => {
                self.measured = self.measured.max(measured);
                self.measured.min(number.value)
            }
        };
        if wanted == before || self.is_left_alone && number.key == Key::Max {
            return Ok(None);
        }
        let result = self.rewrite(&Number { value: before, ..*number }, wanted);
        self.is_left_alone = matches!(result, Err(Refusal::LeftAlone(_)));
        result?;
        self.written = Some(wanted);
        Ok(Some((before, wanted)))
    }

    fn rewrite(&self, number: &Number, new: u64) -> Result<(), Refusal> {
        let path = path(self.file)?;
        let failed =
            |what, error| Refusal::Error(format!("{} can't be {what}: {error}", path.display()));
        // Read first without a lock, so that a tree that is only read has no files made in it.
        let read = || fs::read_to_string(&path).map_err(|error| failed("read", error));
        replaced(&read()?, number, new)?;
        if number.key == Key::Exact && self.measured != new {
            return Err(Refusal::Error(format!(
                "it makes {}, and an earlier run in this process made {}. Each run must make as \
                 many: limit it by `min` and `max`",
                counted(new, "allocation"),
                grouped(self.measured)
            )));
        }
        let _lock = files::lock_file(&path).map_err(|error| failed("written", error))?;
        let text = read()?;
        let replaced = replaced(&text, number, new)?;
        if replaced == text {
            return Ok(()); // By another process.
        }
        files::write(&path, &replaced).map_err(|error| failed("written", error))
    }
}

/// Where a source is now.
fn path(file: &str) -> Result<PathBuf, Refusal> {
    if files::built() == files::Built::DocTest {
        return Err(Refusal::LeftAlone("the lines of a doc test are not those of its file"));
    }
    // Cargo names the files of a workspace from its root on, and others from that of the system.
    if Path::new(file).is_absolute() {
        return Err(Refusal::LeftAlone("its file is not of this workspace"));
    }
    let folders = files::source_folders();
    let root = files::workspace(file, &folders).ok_or(Refusal::LeftAlone(
        "its file is not found: run it by Cargo, or in a folder of the workspace",
    ))?;
    Ok(root.join(file))
}
