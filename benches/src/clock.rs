//! How a workload is timed: by which clock, and over how much work.
//!
//! The time of one thread is processor time, which other programs on the machine disturb little.
//! The time of several threads is that on the wall, because one thread may have to wait for
//! another.

#[cfg(unix)]
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How many slices a measurement has, and how long each lasts. They are short, so that the binaries
/// that are compared run close to each other in time.
const SLICES: usize = 5;
const SLICE: Duration = Duration::from_millis(12);

/// The nanoseconds that one iteration of work on so many threads takes: the median of the slices.
/// To find out how much work fills a slice serves as the warm-up.
pub fn nanos_per_iteration(threads: u32, run: &dyn Fn(u64)) -> f64 {
    let iterations = iterations_in_a_slice(threads, run);
    let clock = if threads == 1 { processor_time } else { wall_time };
    let mut slices = [(); SLICES].map(|()| time(clock, run, iterations));
    slices.sort_unstable();
    slices[SLICES / 2].as_nanos() as f64 / iterations as f64
}

/// Measured by processor time in any case. On the wall, a thread that is late to start would pass
/// for much work.
fn iterations_in_a_slice(threads: u32, run: &dyn Fn(u64)) -> u64 {
    let slice = SLICE * threads;
    let mut iterations = 1;
    loop {
        let elapsed = time(processor_time, run, iterations);
        if elapsed >= slice / 4 {
            let fill = slice.as_secs_f64() / elapsed.as_secs_f64();
            return ((iterations as f64 * fill) as u64).max(1);
        }
        iterations *= 2;
    }
}

fn time(clock: fn() -> Duration, run: &dyn Fn(u64), iterations: u64) -> Duration {
    let start = clock();
    run(iterations);
    clock() - start
}

/// The time since the first call.
fn wall_time() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The processor time of all threads of this process.
///
/// # Panics
/// If the system has no such clock.
#[cfg(unix)]
pub fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable for the length of the call.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0, "this system has no clock for the processor time of a process");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The processor time of all processes that this one has started and waited for, and of those that
/// they did.
///
/// # Panics
/// If the system does not say.
#[cfg(unix)]
pub fn processor_time_of_children() -> Duration {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: `usage` is writable for the length of the call.
    let status = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) };
    assert_eq!(status, 0, "this system does not say what time its processes took");
    // SAFETY: the call has written it.
    let usage = unsafe { usage.assume_init() };
    [usage.ru_utime, usage.ru_stime]
        .map(|time| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1_000))
        .into_iter()
        .sum()
}

/// The time on the wall, as below.
#[cfg(not(unix))]
pub fn processor_time_of_children() -> Duration {
    wall_time()
}

/// The time on the wall, for there is no portable clock for processor time.
#[cfg(not(unix))]
pub fn processor_time() -> Duration {
    wall_time()
}
