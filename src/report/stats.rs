//! Cold: `AllocStats` in words.

use std::fmt;

use crate::counters::AllocStats;
use crate::ignored::Ignored;
use crate::number::{counted, signed};

/// One line:
/// `3 allocations (1 reallocation), 96 bytes; 2 deallocations; 1 live, 48 bytes; peak 96 bytes`.
impl fmt::Display for AllocStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Ignored::new(|_| text(self)))
    }
}

fn text(stats: &AllocStats) -> String {
    let reallocs = match stats.realloc_count {
        0 => String::new(),
        n => format!(" ({})", counted(n, "reallocation")),
    };
    let failed = match stats.failed_count {
        0 => String::new(),
        n => format!("; {} refused", counted(n, "request")),
    };
    format!(
        "{}{reallocs}, {}; {}; {} live, {} bytes; peak {} bytes{failed}",
        counted(stats.alloc_count, "allocation"),
        counted(stats.total_bytes, "byte"),
        counted(stats.dealloc_count, "deallocation"),
        signed(stats.live_count),
        signed(stats.current_bytes),
        signed(stats.peak_bytes),
    )
}
