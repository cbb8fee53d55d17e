//! Hot: `ModAlloc`, the one `GlobalAlloc` of the crate. It forwards each call to the inner
//! allocator's own method, and tells `threads` what came of it. What the numbers are used for is
//! decided elsewhere.
//!
//! Relies on: callers keep the contract of `GlobalAlloc`, and so does the inner allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{compiler_fence, Ordering::SeqCst};

use crate::blocks;
use crate::threads::{self, frequent, SlowEvent};

/// A counting allocator around `A`, [`System`] unless told otherwise.
///
/// Install it once in each binary that asserts something about allocations: at the root of the
/// crate for unit tests, and at the top of the file for each integration test, example or
/// benchmark.
///
/// ```
/// use mod_alloc::ModAlloc;
///
/// #[global_allocator]
/// static GLOBAL: ModAlloc = ModAlloc::new();
///
/// fn main() {
///     let (_, stats) = mod_alloc::measure(|| vec![0u8; 100]);
///     assert_eq!(stats.alloc_count, 1);
/// }
/// ```
///
/// An event costs some ten instructions, on a cache line of the allocating thread's own.
/// Threads meet only when the net bytes of one of them have moved by 16 KiB. Every method forwards
/// to the same method of `A`, so a native `alloc_zeroed` or `realloc` keeps its speed.
///
/// # Signal handlers
/// A handler may allocate wherever the inner allocator lets it: the counting never calls another
/// allocator, waits for nobody, and can be interrupted anywhere. (The system allocator lets no
/// handler allocate, and no handler may make a report.) On x86_64:
/// - Counts and bytes are exact: of scopes, of budgets, of the process, and of scopes that a
///   handler opens itself.
/// - A peak may miss what a handler held. So may a limit that is checked at each event.
/// - Events that interrupt the counting itself are in the call sites, but at no site.
/// - A leak check that cannot tell whether a handler's block is live takes it for leaked, and says
///   so.
/// - What a handler allocates while the library makes a report counts nowhere.
///
/// On other processors, an event that a handler interrupts may go uncounted, or the handler's own.
///
/// In debug builds, what a budget or a scope does beside counting is unoptimised. Where that
/// matters, optimise this one package:
///
/// ```toml
/// [profile.dev.package.mod-alloc]
/// opt-level = 3
/// ```
#[derive(Debug, Default)]
pub struct ModAlloc<A = System> {
    inner: A,
}

impl ModAlloc<System> {
    /// Counts around the system allocator.
    #[must_use]
    pub const fn new() -> Self {
        Self { inner: System }
    }
}

impl<A> ModAlloc<A> {
    /// Counts around `inner`.
    ///
    /// `inner` must not itself be a `ModAlloc`: every event would be counted twice. The first scope
    /// would panic and say so.
    ///
    /// ```
    /// # use std::alloc::System as MiMalloc;
    /// use mod_alloc::ModAlloc;
    ///
    /// #[global_allocator]
    /// static GLOBAL: ModAlloc<MiMalloc> = ModAlloc::with(MiMalloc);
    /// # fn main() {}
    /// ```
    #[must_use]
    pub const fn with(inner: A) -> Self {
        Self { inner }
    }
}

/// What `malloc` aligns its blocks to, where it serves as the system allocator.
const MALLOC_ALIGN: usize = 2 * std::mem::size_of::<usize>();

/// Whether `System` has a block of `size` bytes from `malloc`, which nearly all layouts are for.
///
/// `System` asks the same. Asked here first, what it does for other layouts stands elsewhere, and
/// the frequent way takes neither room for it on the stack nor time. For other allocators it makes
/// no difference.
#[inline(always)]
fn is_for_malloc(layout: Layout, size: usize) -> bool {
    if layout.align() > MALLOC_ALIGN {
        return false;
    }
    // Two branches: as one condition, the two questions take six instructions in place of four.
    compiler_fence(SeqCst);
    layout.align() <= size
}

// The slow halves of the methods below. They take `self` last: so most arguments are where they
// were, and the frequent halves end in a jump and save no register.
impl<A: GlobalAlloc> ModAlloc<A> {
    /// # Safety
    /// As for `alloc`.
    #[cold]
    #[inline(never)]
    unsafe fn alloc_slowly(layout: Layout, this: &Self) -> *mut u8 {
        // SAFETY: the caller promises a layout of non-zero size.
        let block = unsafe { this.inner.alloc(layout) };
        threads::on_alloc(block, layout)
    }

    /// # Safety
    /// As for `alloc_zeroed`.
    #[cold]
    #[inline(never)]
    unsafe fn alloc_zeroed_slowly(layout: Layout, this: &Self) -> *mut u8 {
        // SAFETY: the caller promises a layout of non-zero size.
        let block = unsafe { this.inner.alloc_zeroed(layout) };
        threads::on_alloc(block, layout)
    }

    /// While some scope tracks its blocks, what is known of this one is taken out first: the inner
    /// allocator may give the old address to another thread before it returns.
    ///
    /// # Safety
    /// As for `realloc`.
    // Unoptimised, every method of the trait is one frame: `dhat::running` counts on it.
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), cold, inline(never))]
    unsafe fn realloc_slowly(
        block: *mut u8,
        layout: Layout,
        new_size: usize,
        this: &Self,
    ) -> *mut u8 {
        if !blocks::is_tracking() {
            // SAFETY: the caller's promises are handed on unchanged.
            let moved = unsafe { this.inner.realloc(block, layout, new_size) };
            return threads::on_realloc(moved, layout, new_size);
        }
        let moving = threads::begin_realloc(block as usize);
        // SAFETY: the caller's promises are handed on unchanged.
        let moved = unsafe { this.inner.realloc(block, layout, new_size) };
        if moved.is_null() {
            threads::end_realloc(&moving, block as usize, layout.size() as u64);
        } else {
            threads::end_realloc(&moving, moved as usize, new_size as u64);
        }
        threads::on_realloc(moved, layout, new_size)
    }
}

// The methods are generic over `A`, and so they are compiled in the user's crate, at the user's
// optimisation level. Optimised, they are always inlined, so that what they cost does not depend on
// the crate.
//
// SAFETY: every method returns what the inner allocator's same method returned for the same
// arguments; the counting in between neither touches the blocks nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for ModAlloc<A> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if cfg!(not(debug_assertions)) && !is_for_malloc(layout, layout.size()) {
            // SAFETY: the caller's promise is handed on.
            return unsafe { Self::alloc_slowly(layout, self) };
        }
        // SAFETY: the caller promises a layout of non-zero size.
        let block = unsafe { self.inner.alloc(layout) };
        // Unoptimised, a function in between would be five instructions more.
        frequent::alloc::<SlowEvent>(block, layout.size() as i64)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if cfg!(not(debug_assertions)) && !is_for_malloc(layout, layout.size()) {
            // SAFETY: the caller's promise is handed on.
            return unsafe { Self::alloc_zeroed_slowly(layout, self) };
        }
        // SAFETY: the caller promises a layout of non-zero size.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        threads::on_alloc(block, layout)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let size = layout.size() as i64;
        // SAFETY: the caller promises that `block` came from this allocator, hence from `inner`,
        // with `layout`.
        unsafe { self.inner.dealloc(frequent::dealloc::<SlowEvent>(block, size), layout) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if cfg!(debug_assertions) || !is_for_malloc(layout, new_size) {
            // SAFETY: the caller's promises are handed on unchanged.
            return unsafe { Self::realloc_slowly(block, layout, new_size, self) };
        }
        let Some(counting) = threads::before_realloc(layout, new_size) else {
            // SAFETY: as above.
            return unsafe { Self::realloc_slowly(block, layout, new_size, self) };
        };
        // SAFETY: the caller promises that `block` came from this allocator, hence from `inner`,
        // with `layout`, and that `new_size` makes a valid layout.
        let moved = unsafe { self.inner.realloc(block, layout, new_size) };
        threads::after_realloc(counting, moved)
    }
}
