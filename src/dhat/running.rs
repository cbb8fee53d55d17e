//! Cold: `Running`, the profile that a [`Profiler`](super::Profiler) stands for, and [`Phase`],
//! whether there is one.

use std::path::PathBuf;
use std::sync::Mutex;

use super::ad_hoc::Events;
use super::sums::HeapSums;
use crate::blocks::ProcessProfile;
use crate::counters::{AtWork, Blocks};
use crate::dhat_file;
use crate::files::{self, lock};
use crate::number::grouped;
use crate::reading::{DhatKind, DhatProfile, ProgramPoints};
use crate::stacks::Stack;
use crate::threads::{self, EveryAllocation};

/// Of the one profiler that there can be.
pub(super) enum Phase {
    /// There is none.
    Ready,
    Running(Running),
    /// An assertion has failed, and its profile is saved; the profiler is still there.
    PostAssert,
}

/// Hands `work` the phase. No code of the user's runs there, and nothing panics.
///
/// `None` in a forked child, if another thread was using the profiler when the process was forked.
pub(super) fn with_phase<R>(at_work: AtWork<'_>, work: impl FnOnce(&mut Phase) -> R) -> Option<R> {
    static PHASE: Mutex<Phase> = Mutex::new(Phase::Ready);
    lock(at_work, &PHASE).map(|mut phase| work(&mut phase))
}

/// Why [`with_phase`] gives none.
pub(super) const LOST_IN_FORK: &str =
    "another thread was using the profiler when this process was forked";

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) is_ad_hoc: bool,
    pub(super) is_testing: bool,
    /// `None` for the default.
    pub(super) file: Option<PathBuf>,
    /// `None` for all frames of all stacks.
    pub(super) max_frames: Option<usize>,
}

pub(super) struct Running {
    pub(super) settings: Settings,
    pub(super) counted: Counted,
    /// Where the profiler was built.
    opening: Option<&'static Stack>,
}

pub(super) enum Counted {
    Heap { profile: ProcessProfile, _recording: EveryAllocation },
    AdHoc(Events),
}

impl Running {
    /// `None` if no more profiles can be kept.
    pub(super) fn start(settings: Settings, opening: Option<&'static Stack>) -> Option<Self> {
        let counted = if settings.is_ad_hoc {
            Counted::AdHoc(Events::new(settings.max_frames))
        } else {
            // dhat counts its own function, too. An unoptimised walk of ours begins with as many
            // functions of the allocator, an optimised one with as many or fewer.
            let depth = settings.max_frames.unwrap_or(usize::MAX);
            let profile = threads::profile_process(depth)?;
            Counted::Heap { profile, _recording: threads::record_everywhere(false) }
        };
        Some(Self { settings, counted, opening })
    }

    /// Ends it: writes the file, and says on stderr what was counted.
    pub(super) fn finish(self, at_work: AtWork<'_>) {
        let (mut profile, summary) = match self.counted {
            Counted::Heap { profile, _recording } => {
                let heap = ProgramPoints::of(profile.points());
                let mut sums = HeapSums::default();
                heap.points.iter().for_each(|(_, numbers)| sums.add(numbers));
                let summary = heap_summary(&sums, heap.lost);
                (DhatProfile::of_heap(heap, Vec::new()), summary)
            }
            Counted::AdHoc(events) => {
                let Blocks { blocks, bytes } = events.total();
                let (count, units) = (grouped(blocks), grouped(bytes));
                let summary = format!("dhat: Total:     {units} units in {count} events\n");
                (events.into_profile(), summary)
            }
        };
        profile.openings.extend(self.opening);
        profile.is_trimmed = self.settings.max_frames.is_some();
        let default =
            if profile.kind == DhatKind::AdHoc { "dhat-ad-hoc.json" } else { "dhat-heap.json" };
        let path = self.settings.file.unwrap_or_else(|| PathBuf::from(default));
        let name = path.display();
        let outcome = match files::write(&path, &dhat_file::text(at_work, &profile)) {
            Ok(()) => format!(
                "dhat: The data has been saved to {name}, and is viewable with dhat/dh_view.html"
            ),
            Err(error) => format!("dhat: error: Writing to {name} failed: {error}"),
        };
        eprintln!("{summary}{outcome}");
    }
}

fn heap_summary(sums: &HeapSums, lost: u64) -> String {
    let line = |label: &str, Blocks { blocks, bytes }: Blocks| {
        format!("dhat: {label} {} bytes in {} blocks\n", grouped(bytes), grouped(blocks))
    };
    let mut summary = line("Total:    ", sums.total);
    summary += &line("At t-gmax:", sums.at_peak);
    summary += &line("At t-end: ", sums.live);
    if lost > 0 {
        let lost = grouped(lost);
        summary += &format!("dhat: {lost} blocks found no room, and are in the totals alone\n");
    }
    summary
}
