//! Hot: `StackIndex`, which row of a table is a stack's. It belongs to one thread, and grows as it
//! fills; its memory comes from the system itself.

use std::ptr;

use super::stack::Stack;
use crate::sys::{OutOfMemory, SystemVec};

/// Open addressing; a power of two long, at most half full.
pub(super) struct StackIndex {
    entries: SystemVec<Option<Entry>>,
    used: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    stack: &'static Stack,
    row: usize,
}

impl StackIndex {
    pub(super) const fn new() -> Self {
        Self { entries: SystemVec::new(), used: 0 }
    }

    #[inline]
    pub(super) fn find(&self, stack: &'static Stack) -> Option<usize> {
        let entries = self.entries.as_slice();
        let mut place = stack.hash() as usize;
        loop {
            // Compared and indexed, which in debug builds takes a tenth of `get`.
            let at = place & entries.len().wrapping_sub(1);
            if at >= entries.len() {
                return None;
            }
            // No panic: it was compared.
            match entries[at] {
                None => return None,
                Some(entry) if ptr::eq(entry.stack, stack) => return Some(entry.row),
                Some(_) => place = place.wrapping_add(1),
            }
        }
    }

    /// Makes room for one more.
    pub(super) fn reserve(&mut self) -> Result<(), OutOfMemory> {
        if (self.used + 1) * 2 <= self.entries.as_slice().len() {
            return Ok(());
        }
        let mut larger = Self::new();
        larger.entries.resize((self.entries.as_slice().len() * 2).max(64), None)?;
        for entry in self.entries.as_slice().iter().flatten() {
            larger.insert(entry.stack, entry.row);
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
        let mut place = stack.hash() as usize;
        while let Some(entry) = entries.get_mut(place & mask) {
            if entry.is_none() {
                *entry = Some(Entry { stack, row });
                self.used += 1;
                return;
            }
            place = place.wrapping_add(1);
        }
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.entries.as_slice().iter().flatten().count()
    }

    pub(super) fn clear(&mut self) {
        if self.used > 0 {
            self.entries.as_mut_slice().fill(None);
            self.used = 0;
        }
    }

    /// Gives its memory back.
    pub(super) fn free(&mut self) {
        self.entries.free();
        self.used = 0;
    }
}
