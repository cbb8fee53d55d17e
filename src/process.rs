//! Cold: the numbers of the whole process, `ModAlloc::snapshot` and `Profiler`.

#[cfg(feature = "backtraces")]
use std::panic::Location;

#[cfg(feature = "backtraces")]
use crate::call_sites::{self, CallSites};
use crate::counters::AllocStats;
use crate::installed;
#[cfg(feature = "backtraces")]
use crate::reading::ProcessRecorder;
use crate::threads::{self, PeakFrom};
use crate::ModAlloc;

impl<A> ModAlloc<A> {
    /// What the process has allocated since it began, or since [`reset`](Self::reset), on all
    /// threads.
    ///
    /// It is process-wide, whichever `ModAlloc` it is called on. Counts and bytes are exact for
    /// every thread that is not allocating at this moment. `peak_bytes` and `current_bytes` are
    /// exact while one thread allocates, and otherwise within 16 KiB for each thread. The peak is
    /// never below `current_bytes`, and never falls from one snapshot to the next.
    ///
    /// # Panics
    /// If `ModAlloc` is not the global allocator of this binary, with the lines to add.
    #[track_caller]
    #[must_use]
    pub fn snapshot(&self) -> AllocStats {
        installed::require();
        threads::flush();
        let (counts, above) = threads::process_peak().read();
        AllocStats::new(counts, above)
    }

    /// Has [`snapshot`](Self::snapshot) count from now on. It does nothing else: scopes and
    /// profilers go on.
    ///
    /// # Panics
    /// As [`snapshot`](Self::snapshot); or if the system has no memory for the new point.
    #[track_caller]
    pub fn reset(&self) {
        installed::require();
        threads::flush();
        if !threads::restart_process_peak() {
            panic!("no memory for a new baseline of `snapshot()`");
        }
    }
}

/// Counts what the whole process allocates, all threads together, from [`start`](Self::start) to
/// [`stop`](Self::stop).
///
/// It is for programs and benchmarks. In a test binary other tests run at the same time, and are
/// counted too: use [`AllocScope`](crate::AllocScope) there. Profilers may overlap in any way.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::Profiler;
///
/// let profiler = Profiler::start();
/// std::thread::spawn(|| drop(vec![0u8; 1000])).join().unwrap();
/// let stats = profiler.stop();
/// assert!(stats.total_bytes >= 1000);
/// ```
#[must_use = "a profiler counts until it is stopped: bind it to a variable"]
pub struct Profiler {
    peak: PeakFrom,
    #[cfg(feature = "backtraces")]
    recorded: Option<Recorded>,
}

#[cfg(feature = "backtraces")]
struct Recorded {
    location: &'static Location<'static>,
    recorder: ProcessRecorder,
}

impl Profiler {
    /// Begins to count.
    ///
    /// # Panics
    /// If `ModAlloc` is not the global allocator of this binary, with the lines to add; or if the
    /// system has no memory for the profiler.
    #[track_caller]
    pub fn start() -> Self {
        installed::require();
        threads::flush();
        let Some(peak) = threads::start_peak() else {
            panic!("no memory for the peak of a profiler");
        };
        Self {
            peak,
            #[cfg(feature = "backtraces")]
            recorded: None,
        }
    }

    /// Begins to count, and to record where in the code each allocation is made, on all threads.
    ///
    /// The sites can be [sorted](CallSites::sorted_by) by count, by bytes, or by the bytes that
    /// were live at the process's peak. Four profilers at a time can tell the last of these: if
    /// more overlap, the first four. Where it must be known, start the profiler by
    /// [`with_heap_profile`](Self::with_heap_profile).
    ///
    /// What other threads allocate at this very moment may be at the sites and not in the
    /// statistics.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::Profiler;
    ///
    /// let profiler = Profiler::with_call_sites();
    /// std::thread::spawn(|| drop(std::hint::black_box(vec![0u8; 1000]))).join().unwrap();
    /// let sites = profiler.call_sites();
    /// assert!(sites.total_bytes() >= 1000);
    /// ```
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[cfg(feature = "backtraces")]
    #[track_caller]
    pub fn with_call_sites() -> Self {
        installed::require();
        Self::recording(ProcessRecorder::start())
    }

    /// The recorder has begun first: that takes a while, in which other threads would count and not
    /// record.
    #[cfg(feature = "backtraces")]
    #[track_caller]
    fn recording(recorder: ProcessRecorder) -> Self {
        let location = Location::caller();
        Self { recorded: Some(Recorded { location, recorder }), ..Self::start() }
    }

    /// As [`with_call_sites`](Self::with_call_sites), and panics where what is live would not be
    /// known.
    ///
    /// ```
    /// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
    /// use mod_alloc::{Profiler, SortBy};
    ///
    /// let profiler = Profiler::with_heap_profile();
    /// let held = std::hint::black_box(vec![0_u8; 100_000]);
    /// let sites = profiler.call_sites().sorted_by(SortBy::PeakBytes);
    /// # if format!("{sites:#}").contains("call sites are not available") { return }
    /// assert_eq!(sites.sites()[0].peak_bytes(), Some(100_000));
    /// # drop(held);
    /// ```
    ///
    /// # Panics
    /// As [`start`](Self::start); if four profilers record already, those of `mod_alloc::dhat`
    /// included; or if the system has no memory for the table of live blocks.
    #[cfg(feature = "backtraces")]
    #[track_caller]
    pub fn with_heap_profile() -> Self {
        installed::require();
        let recorder = ProcessRecorder::start();
        assert!(
            recorder.has_heap_profile(),
            "no heap profile is left for this `Profiler`: is there memory, and are fewer than four \
             others recording? `Profiler::with_call_sites()` starts all the same, and does not \
             know what was live"
        );
        Self::recording(recorder)
    }

    /// The call sites of what was allocated so far, on all threads.
    ///
    /// Finding names and lines takes some milliseconds, and a tenth of a second the first time in a
    /// process.
    ///
    /// # Panics
    /// If the profiler does not record: start it by [`with_call_sites`](Self::with_call_sites).
    #[cfg(feature = "backtraces")]
    #[track_caller]
    #[must_use]
    pub fn call_sites(&self) -> CallSites {
        let Some(Recorded { location, recorder }) = &self.recorded else {
            panic!(
                "does this `Profiler` record call sites? Start it by \
                 `Profiler::with_call_sites()` instead of `Profiler::start()`"
            )
        };
        call_sites::of_recording(&recorder.recording(), location)
    }

    /// Ends the profile, and says what was counted: the difference to the start, and the peak above
    /// it.
    ///
    /// It is as exact as [`ModAlloc::snapshot`].
    #[must_use = "a profiler is there for its numbers"]
    pub fn stop(self) -> AllocStats {
        threads::flush();
        let (counts, above) = self.peak.read();
        AllocStats::new(counts, above)
    }
}

impl std::fmt::Debug for Profiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profiler").finish_non_exhaustive()
    }
}
