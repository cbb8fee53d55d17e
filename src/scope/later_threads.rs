//! Cold: whether threads are there that have begun since some moment, and so may be at their end.

use std::time::Instant;

/// Whether a thread has begun since `moment` and has not ended, this one apart. If in doubt, it has: one that began some hundredths
/// of a second before may be among them, as the system tells time. `None` where the system does not say.
pub(super) fn has_later_threads(moment: Instant) -> Option<bool> {
    crate::count::ignored(|| imp::has_later_threads(moment))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::time::Instant;

    /// What the system rounds down to when it says how long it has run, and when a thread began.
    const TICK_SECONDS: f64 = 0.01;

    pub(super) fn has_later_threads(moment: Instant) -> Option<bool> {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
        let earliest = uptime - moment.elapsed().as_secs_f64() - 2.0 * TICK_SECONDS;
        // `PID/task/TID`
        let this = fs::read_link("/proc/thread-self").ok()?;
        let tasks = Path::new("/proc").join(this.parent()?);
        let first = tasks.parent()?.file_name()?;
        let mut seen = 0;
        for task in fs::read_dir(&tasks).ok()? {
            let id = task.ok()?.file_name();
            // The first thread has begun before everything.
            if id != first && Some(&*id) != this.file_name() {
                let Ok(stat) = fs::read_to_string(tasks.join(id).join("stat")) else { continue };
                if start_seconds(&stat).is_some_and(|start| start >= earliest) {
                    return Some(true);
                }
            }
            seen += 1;
        }
        // The list breaks off at a thread that ends meanwhile. The folder has two links, and one for each thread.
        let threads = fs::metadata(&tasks).ok()?.nlink().saturating_sub(2);
        Some(seen < threads)
    }

    /// When the thread began, after the start of the system: field 22 of `/proc/PID/task/TID/stat` (proc(5)). The second field is a
    /// name in parentheses, and may hold anything.
    pub(super) fn start_seconds(stat: &str) -> Option<f64> {
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: f64 = fields.split_whitespace().nth(22 - 3)?.parse().ok()?;
        Some(ticks * TICK_SECONDS)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    pub(super) fn has_later_threads(_moment: std::time::Instant) -> Option<bool> {
        None
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::has_later_threads;
    use super::imp::start_seconds;

    #[test]
    fn a_thread_may_have_any_name() {
        let fields = " S 1 2 2 0 -1 4194368 0 0 0 0 0 0 0 0 20 0 3 0 4567 100 200";
        for name in ["name", "a (b) c", ") 1 2", ""] {
            assert_eq!(start_seconds(&format!("12 ({name}){fields}")), Some(45.67));
        }
        assert_eq!(start_seconds(""), None);
        assert_eq!(start_seconds("12 (name) S 1 2"), None);
    }

    #[test]
    fn threads_that_have_begun_since_are_seen_until_they_end() {
        let (end, wait) = mpsc::channel::<()>();
        let moment = Instant::now();
        let later = thread::spawn(move || wait.recv().expect("the test sends"));
        assert_eq!(has_later_threads(moment), Some(true));
        thread::sleep(Duration::from_millis(100));
        assert_eq!(has_later_threads(moment), Some(true), "as long as it is there");
        // Other tests start threads, too: one moment without any is enough.
        let is_alone = || (0..1_000).any(|_| has_later_threads(Instant::now()) == Some(false));
        assert!(is_alone(), "of earlier ones nobody asks");
        end.send(()).expect("it waits");
        later.join().expect("it ends well");
    }
}
