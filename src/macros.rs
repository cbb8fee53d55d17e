//! Cold: the block macros. They hand their tokens, and the path of this crate, to the parser that
//! `#[alloc_budget]` uses.

/// Runs a block, and panics with a report if it breaks a limit on what it may allocate. The value
/// is that of the block.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::assert_allocs;
///
/// let words = assert_allocs!(max = 1, max_bytes = 64, {
///     let mut words = Vec::with_capacity(4);
///     words.push("one");
///     words
/// });
/// assert_eq!(words, ["one"]);
///
/// let line = "a b c";
/// assert_allocs!(exact = 0, { line.split(' ').count() }, "splitting {line:?}");
/// ```
///
/// The keys and their values are those of [`#[alloc_budget]`](crate::alloc_budget), without
/// `crate`: `assert_allocs!(recorded, { .. })` takes the limit from a file. The block may end in
/// `return`, `?` or `break`; the budget is checked then too.
///
/// A message begins at the first comma that is followed by a string literal. It is formatted after
/// the block, only if the block fails, and not where it is left early.
///
/// With `warmup` or `runs` the block becomes a closure, and control flow that leaves it is a
/// compile error. So is `.await` anywhere in the block, for other tasks would be counted:
/// [`Budget::check_future`](crate::Budget::check_future) is for that. So is a block whose value is
/// a future or a closure: it only makes it, and nothing of what it does would be counted. Where
/// that is meant, return it in a tuple: `let (future,) = assert_no_alloc!((request(),));`.
///
/// # Panics
/// If the budget does not hold, with the report. If `ModAlloc` is not the global allocator of this
/// binary.
#[macro_export]
macro_rules! assert_allocs {
    ($($tokens:tt)*) => {
        $crate::__private::assert_allocs! { [$crate] $($tokens)* }
    };
}

/// Runs a block, and panics with a report if it allocates or reallocates. The value is that of the
/// block.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::assert_no_alloc;
///
/// let mut buffer: Vec<u8> = Vec::with_capacity(8);
/// assert_no_alloc! {
///     buffer.extend_from_slice(b"fits");
///     buffer.clear();
/// }
/// let length = assert_no_alloc!(buffer.len());
/// assert_no_alloc!({ buffer.push(1) }, "{length} bytes were in use");
/// ```
///
/// Freeing is allowed; [`assert_allocs!(max = 0, max_deallocs = 0, ..)`](crate::assert_allocs)
/// forbids it as well. Messages, early exits, futures and closures are as for that macro.
///
/// # Panics
/// If the block allocates, with the report. If `ModAlloc` is not the global allocator of this
/// binary.
#[macro_export]
macro_rules! assert_no_alloc {
    ($($tokens:tt)*) => {
        $crate::__private::assert_no_alloc! { [$crate] $($tokens)* }
    };
}

/// Runs a closure for inputs of several sizes, and panics with a report if what it allocates grows
/// faster with the size than is allowed.
///
/// ```
/// # #[global_allocator] static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();
/// use mod_alloc::assert_growth;
///
/// fn sum(text: &str) -> u64 {
///     text.split(',').map(|number| number.parse::<u64>().unwrap_or(0)).sum()
/// }
///
/// assert_growth!(max = O(1), sizes = [64, 512, 4_096], |n| {
///     let text = "1,".repeat(n);
///     move || sum(&text)
/// });
/// ```
///
/// The outer closure prepares the input of size `n`, which is not counted. The closure that it
/// returns is counted. What that returns is dropped uncounted; end it by `;` to count the drop.
///
/// The orders are `O(1)`, `O(log n)`, `O(n)`, `O(n log n)` and `O(n^2)`. The keys are `max`,
/// `max_bytes`, `max_peak_bytes`, `max_block_bytes`, `max_reallocs` and `max_retained`, as in
/// [`#[alloc_budget]`](crate::alloc_budget), and `sizes`, which has a default.
/// [`Growth`](crate::Growth) says how the order is found, and has the same as a value.
///
/// A message may follow the closure: `assert_growth!(max = O(n), |n| .., "of {name}")`. It is
/// formatted only on failure.
///
/// # Panics
/// If a number grows faster than is allowed, or if the sizes do not tell, with the report. If the
/// sizes do not rise. If `ModAlloc` is not the global allocator of this binary.
#[macro_export]
macro_rules! assert_growth {
    ($($tokens:tt)*) => {
        $crate::__private::assert_growth! { [$crate] $($tokens)* }
    };
}
