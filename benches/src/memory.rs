//! How much memory the process has, as Linux tells it.

use std::fs;

/// The resident memory of the process, in bytes, without what is read from files. It is counted
/// page by page, for the quick answer that the system has is not exact.
///
/// # Panics
/// On other systems than Linux.
pub fn resident() -> u64 {
    read("/proc/self/smaps_rollup", "Anonymous:")
}

/// The most that was resident, in bytes.
///
/// # Panics
/// On other systems than Linux.
pub fn most_resident() -> u64 {
    read("/proc/self/status", "VmHWM:")
}

fn read(path: &str, key: &str) -> u64 {
    let text = fs::read_to_string(path).expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
    1_024 * line.trim_end_matches("kB").trim().parse::<u64>().expect("a number")
}
