//! What the program does: stacks of many kinds, with allocations in them.

mod backtraces;
mod collections;
mod documents;
#[cfg(all(unix, not(target_vendor = "apple")))]
#[cfg_attr(target_arch = "x86_64", path = "frames/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "frames/aarch64.rs")]
mod frames;
#[cfg(not(target_vendor = "apple"))]
mod libraries;
mod mixed;
mod panics;
mod patterns;
mod recursion;
mod sorting;
#[cfg(not(target_vendor = "apple"))]
#[cfg_attr(windows, path = "stops_windows.rs")]
mod stops;
mod syntax;
mod threads;

/// The kinds of work, in the order in which they run on one thread. Each is a scope.
pub(crate) const ALL: &[(&str, fn())] = &[
    ("collections", collections::work),
    ("sorting", sorting::work),
    ("serde_json", documents::work),
    ("regex", patterns::work),
    ("syn", syntax::work),
    ("mixed frames of Rust and C", mixed::work),
    ("deep recursion", recursion::work),
    ("panics", panics::work),
    ("backtraces", backtraces::work),
    ("threads", threads::work),
    #[cfg(not(target_vendor = "apple"))]
    ("libraries", libraries::work),
    #[cfg(not(target_vendor = "apple"))]
    ("where walks stop", stops::work),
];

/// Makes an event and its counterpart here.
#[inline(always)]
fn allocate(bytes: usize) {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(bytes)));
}
