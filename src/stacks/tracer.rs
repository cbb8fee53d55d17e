//! Hot: `Tracer`, a thread's way from its registers to an interned stack. One for each state whose
//! thread has ever recorded, in memory from the system itself that is never freed, as the state.
//!
//! Relies on: `walk`, for which all zeros is a new `Walker`; memory of `memory::keep` is zeroed,
//! belongs to nobody else and is never freed.
#![allow(unsafe_code)]

use std::alloc::Layout;

use super::stack::{self, Stack};
use crate::sys::memory;
use crate::walk::{Registers, SideStack, Walker};

pub(crate) struct Tracer {
    walker: Walker,
    /// The stack of the previous walk.
    last: Option<&'static Stack>,
    /// Its outer addresses, if it has any, and up to which change of them.
    outer: Option<&'static Stack>,
    outer_changes: usize,
    /// Where this thread records.
    side_stack: SideStack,
}

impl Tracer {
    /// `None` without memory.
    #[cold]
    pub(crate) fn allocate() -> *mut Self {
        // In place: unoptimised, a `Tracer` that is moved here takes 40 KiB of a stack that may
        // have 16.
        let tracer: *mut Self = memory::keep(Layout::new::<Self>()).cast();
        if tracer.is_null() {
            return tracer;
        }
        // SAFETY: all zeros is a `Tracer`: a new walker, no stack, and none aside.
        unsafe { (*tracer).side_stack = SideStack::allocate(SideStack::FOR_RECORDING) };
        tracer
    }

    /// Where this thread records.
    #[inline]
    pub(crate) fn side_stack(&self) -> SideStack {
        self.side_stack
    }

    /// The stack that ends at these registers; `None` if it could not be interned.
    #[inline(always)]
    pub(crate) fn stack(&mut self, from: Registers) -> Option<&'static Stack> {
        // A program goes through its stacks in much the same order again and again. The one that
        // came next the last time is loaded during the walk, and is compared before any search:
        // where there are thousands, most of the time would else be spent waiting for memory.
        let likely = self.last.and_then(Stack::likely_next);
        if let Some(likely) = likely {
            likely.prefetch();
        }
        let walked = self.walker.walk(from);
        if !walked.is_same || self.last.is_none() {
            if walked.outer_changes != self.outer_changes {
                self.last = None;
                self.outer = stack::intern_outer(&walked)?;
                self.outer_changes = walked.outer_changes;
            }
            self.last = match likely {
                Some(likely) if likely.is_of(&walked, self.outer) => Some(likely),
                _ => {
                    let stack = stack::intern(&walked, self.outer);
                    if let Some(last) = self.last {
                        last.set_likely_next(stack);
                    }
                    stack
                }
            };
        }
        self.last
    }
}
