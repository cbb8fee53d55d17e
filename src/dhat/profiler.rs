//! Cold: `Profiler` and its builder.

use std::path::Path;

use super::running::{with_phase, Phase, Running, Settings, LOST_IN_FORK};
use crate::counters::{self, AtWork};
use crate::ignored::Ignored;
use crate::installed;
use crate::threads;

/// Profiles from its making to its drop, on all threads. Then the file is written, and a summary
/// printed to stderr. If it cannot be written, a line on stderr says why, and nothing panics.
///
/// There can be one at a time. Drop it at the end of `main`: `std::process::exit` drops nothing.
#[derive(Debug)]
#[must_use = "a profiler that is dropped at once profiles nothing: bind it to a variable"]
pub struct Profiler(());

impl Profiler {
    /// Begins to profile the heap.
    ///
    /// # Panics
    /// As [`ProfilerBuilder::build`].
    #[track_caller]
    #[inline(never)]
    pub fn new_heap() -> Self {
        Self::builder().build()
    }

    /// Begins to profile what [`ad_hoc_event`](super::ad_hoc_event) is told.
    ///
    /// # Panics
    /// As [`ProfilerBuilder::build`].
    #[track_caller]
    #[inline(never)]
    pub fn new_ad_hoc() -> Self {
        Self::builder().ad_hoc().build()
    }

    /// For anything but the defaults: see [`ProfilerBuilder`].
    pub fn builder() -> ProfilerBuilder {
        let settings =
            Settings { is_ad_hoc: false, is_testing: false, file: None, max_frames: Some(10) };
        ProfilerBuilder { settings: Ignored::new(|_| settings) }
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        counters::ignored(|at_work| {
            match with_phase(at_work, |phase| std::mem::replace(phase, Phase::Ready)) {
                Some(Phase::Running(running)) if !running.settings.is_testing => {
                    running.finish(at_work)
                }
                Some(Phase::Ready | Phase::Running(_) | Phase::PostAssert) => {}
                None => eprintln!("dhat: error: nothing is saved: {LOST_IN_FORK}"),
            }
        });
    }
}

/// How to profile; from [`Profiler::builder`].
#[derive(Debug)]
#[must_use = "nothing is profiled before `build`"]
pub struct ProfilerBuilder {
    settings: Ignored<Settings>,
}

impl ProfilerBuilder {
    /// Profiles events of the user's own, not the heap.
    pub fn ad_hoc(mut self) -> Self {
        self.settings.change(|settings| settings.is_ad_hoc = true);
        self
    }

    /// For tests: allows [`dhat::assert!`](super::assert!) and its siblings, and writes a file only
    /// when one of those fails.
    pub fn testing(mut self) -> Self {
        self.settings.change(|settings| settings.is_testing = true);
        self
    }

    /// Where to write; `dhat-heap.json` or `dhat-ad-hoc.json` in the current folder unless set.
    pub fn file_name<P: AsRef<Path>>(mut self, file_name: P) -> Self {
        let path = file_name.as_ref();
        self.settings.change(|settings| settings.file = Some(path.to_owned()));
        self
    }

    /// How many functions of each stack to keep; `Some(10)` unless set, and at least 4.
    ///
    /// They are counted from the innermost one, with one of the allocator's and without inlined
    /// ones. Stacks that are the same as far as that are one program point. Of the functions at the
    /// inner end that belong to an allocator, one is shown, and of those above the function that
    /// built the profiler none. With `None`, all of all stacks are shown.
    pub fn trim_backtraces(mut self, max_frames: Option<usize>) -> Self {
        self.settings.change(|settings| settings.max_frames = max_frames.map(|max| max.max(4)));
        self
    }

    /// Begins to profile.
    ///
    /// # Panics
    /// If a profiler is running already. If [`ModAlloc`](crate::ModAlloc) is not the global
    /// allocator of this binary, with the lines to add; ad hoc profiles need none. If four
    /// recording [`Profiler`](crate::Profiler)s are running.
    #[track_caller]
    #[inline(never)]
    pub fn build(self) -> Profiler {
        if !self.settings.is_ad_hoc {
            installed::require();
        }
        let opening = threads::stack_here();
        match self.settings.into_inner(|at_work, settings| start(at_work, settings, opening)) {
            Ok(()) => Profiler(()),
            Err(error) => panic!("dhat: {error}"),
        }
    }
}

fn start(
    at_work: AtWork<'_>,
    settings: Settings,
    opening: Option<&'static crate::stacks::Stack>,
) -> Result<(), &'static str> {
    let start = |phase: &mut Phase| match phase {
        Phase::Ready => match Running::start(settings, opening) {
            Some(running) => {
                *phase = Phase::Running(running);
                Ok(())
            }
            None => Err(
                "is there memory left, and are fewer than four `mod_alloc::Profiler`s recording?",
            ),
        },
        Phase::Running(_) | Phase::PostAssert => {
            Err("creating a profiler while a profiler is already running")
        }
    };
    with_phase(at_work, start).unwrap_or(Err(LOST_IN_FORK))
}
