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
/// `crate`. The block may end in `return`, `?` or `break`; the budget is checked then too.
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
