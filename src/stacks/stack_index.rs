//! Hot: `StackIndex`, which row of a table is a stack's. It belongs to one thread, and grows as it
//! fills; its memory comes from the system itself.

use super::stack::Stack;
use crate::sys::{OutOfMemory, SystemVec};

/// Open addressing; a power of two long, at most half full.
pub(super) struct StackIndex {
    entries: SystemVec<Entry>,
    used: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    /// The lower half of the stack's [`key`]; the upper one says where to begin.
    half_key: u32,
    row: u32,
}

/// There is none of this number.
pub(super) const NO_ROW: usize = u32::MAX as usize;

const NONE: Entry = Entry { half_key: 0, row: NO_ROW as u32 };

/// Made of its address, which is known before its first bytes are loaded: with 100,000 stacks, that
/// takes as long as all the rest.
#[inline]
fn key(stack: &'static Stack) -> u64 {
    let address: *const Stack = stack;
    (address as u64 >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl StackIndex {
    pub(super) const fn new() -> Self {
        Self { entries: SystemVec::new(), used: 0 }
    }

    /// The row of a stack, or [`NO_ROW`]; `is_it` says whether a row is that of the stack.
    #[inline]
    pub(super) fn find(&self, stack: &'static Stack, is_it: impl Fn(usize) -> bool) -> usize {
        let entries = self.entries.as_slice();
        let key = key(stack);
        let mut place = (key >> 32) as usize;
        loop {
            // Compared and indexed, which in debug builds takes a tenth of `get`.
            let at = place & entries.len().wrapping_sub(1);
            if at >= entries.len() {
                return NO_ROW;
            }
            // No panic: it was compared.
            let Entry { half_key, row } = entries[at];
            if half_key == key as u32 && is_it(row as usize) {
                return row as usize;
            }
            if row == NONE.row {
                return NO_ROW;
            }
            place = place.wrapping_add(1);
        }
    }

    /// Makes room for one more. `stack_of` knows the stacks of the rows so far.
    pub(super) fn reserve(
        &mut self,
        stack_of: impl Fn(usize) -> Option<&'static Stack>,
    ) -> Result<(), OutOfMemory> {
        if (self.used + 1) * 2 <= self.entries.as_slice().len() {
            return Ok(());
        }
        let mut larger = Self::new();
        larger.entries.resize((self.entries.as_slice().len() * 2).max(64), NONE)?;
        for row in 0..self.used {
            if let Some(stack) = stack_of(row) {
                larger.insert(stack, row);
            }
        }
        self.entries.free();
        *self = larger;
        Ok(())
    }

    /// Notes the row of a stack that is not yet there. There is room, from
    /// [`reserve`](Self::reserve).
    pub(super) fn insert(&mut self, stack: &'static Stack, row: usize) {
        let entries = self.entries.as_mut_slice();
        let mask = entries.len().wrapping_sub(1);
        let key = key(stack);
        let mut place = (key >> 32) as usize;
        while let Some(entry) = entries.get_mut(place & mask) {
            if entry.row == NONE.row {
                *entry = Entry { half_key: key as u32, row: row as u32 };
                self.used += 1;
                return;
            }
            place = place.wrapping_add(1);
        }
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.entries.as_slice().iter().filter(|entry| entry.row != NONE.row).count()
    }

    pub(super) fn clear(&mut self) {
        if self.used > 0 {
            self.entries.as_mut_slice().fill(NONE);
            self.used = 0;
        }
    }

    /// Gives its memory back.
    pub(super) fn free(&mut self) {
        self.entries.free();
        self.used = 0;
    }
}
