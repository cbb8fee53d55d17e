//! Cold: whether there are threads that have begun since some moment, and so may be about to end.

use std::time::Instant;

/// What the threads are doing that have begun since some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code)] // Where the system does not say.
pub(super) enum Later {
    /// There are none, or they have ended.
    Ended,
    /// They all wait for something.
    Asleep,
    Busy,
}

/// Looks at the threads that have begun since `moment`, this one apart. What is in doubt counts as
/// busy. The system dates threads to hundredths of a second, so one that began a little earlier may
/// be taken for a later one. `None` where the system does not say.
pub(super) fn later_threads(moment: Instant) -> Option<Later> {
    crate::counters::ignored(|_| imp::later_threads(moment))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::time::Instant;

    use super::Later;

    /// The system tells how long it has run, and when a thread began, rounded down to this.
    const TICK_SECONDS: f64 = 0.01;

    pub(super) fn later_threads(moment: Instant) -> Option<Later> {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
        let earliest = uptime - moment.elapsed().as_secs_f64() - 2.0 * TICK_SECONDS;
        // `PID/task/TID`
        let this = fs::read_link("/proc/thread-self").ok()?;
        let tasks = Path::new("/proc").join(this.parent()?);
        let first = tasks.parent()?.file_name()?;
        let (mut seen, mut later) = (0, Later::Ended);
        for task in fs::read_dir(&tasks).ok()? {
            let id = task.ok()?.file_name();
            // The first thread has begun before everything.
            if id != first && Some(&*id) != this.file_name() {
                let Ok(stat) = fs::read_to_string(tasks.join(id).join("stat")) else { continue };
                let (is_asleep, start) = state_and_start(&stat)?;
                if start >= earliest {
                    later = later.max(if is_asleep { Later::Asleep } else { Later::Busy });
                }
            }
            seen += 1;
        }
        // The list breaks off at a thread that ends meanwhile. The folder has one link for each
        // thread, and two more.
        let threads = fs::metadata(&tasks).ok()?.nlink().saturating_sub(2);
        Some(if seen < threads { Later::Busy } else { later })
    }

    /// Whether a thread sleeps, and when it began, in seconds after the start of the system: fields
    /// 3 and 22 of `/proc/PID/task/TID/stat` (proc(5)). The second field is a name in parentheses,
    /// which may itself hold parentheses and spaces.
    pub(super) fn state_and_start(stat: &str) -> Option<(bool, f64)> {
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let is_asleep = fields.next()? == "S";
        let ticks: f64 = fields.nth(22 - 4)?.parse().ok()?;
        Some((is_asleep, ticks * TICK_SECONDS))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    pub(super) fn later_threads(_moment: std::time::Instant) -> Option<super::Later> {
        None
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::imp::state_and_start;
    use super::{later_threads, Later};

    #[test]
    fn a_thread_may_have_any_name() {
        let fields = "1 2 2 0 -1 4194368 0 0 0 0 0 0 0 0 20 0 3 0 4567 100 200";
        for name in ["name", "a (b) c", ") R 2", ""] {
            for state in ["R", "S"] {
                let stat = format!("12 ({name}) {state} {fields}");
                assert_eq!(state_and_start(&stat), Some((state == "S", 45.67)));
            }
        }
        assert_eq!(state_and_start(""), None);
        assert_eq!(state_and_start("12 (name) S 1 2"), None);
    }

    #[test]
    fn threads_that_have_begun_since_are_seen_until_they_end() {
        let this = std::env::current_exe().expect("a path");
        let alone = ["--exact", "scope::later_threads::tests::seen_until_they_end", "--ignored"];
        let output = std::process::Command::new(this).args(alone).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed") && output.status.success(), "{text}");
    }

    #[test]
    #[ignore = "must be alone in its process: the test above runs it"]
    fn seen_until_they_end() {
        let (end, wait) = mpsc::channel::<()>();
        let moment = Instant::now();
        let busy = thread::spawn(move || while wait.try_recv().is_err() {});
        assert_eq!(later_threads(moment), Some(Later::Busy));
        thread::sleep(Duration::from_millis(100));
        assert_eq!(later_threads(moment), Some(Later::Busy), "as long as it is there");
        // On a busy machine it takes a while until a thread has run, or until a tick of the clock
        // that threads are dated by has passed.
        let comes_to = |moment: &dyn Fn() -> Instant, expected| {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(60) {
                if later_threads(moment()) == Some(expected) {
                    return true;
                }
            }
            false
        };
        assert!(comes_to(&Instant::now, Later::Ended), "of earlier ones nobody asks");
        end.send(()).expect("it looks");
        busy.join().expect("it ends well");
        let (end, wait) = mpsc::channel::<()>();
        let moment = Instant::now();
        let asleep = thread::spawn(move || wait.recv().expect("the test sends"));
        assert!(comes_to(&|| moment, Later::Asleep));
        end.send(()).expect("it waits");
        asleep.join().expect("it ends well");
    }
}
