//! The return addresses that the system's unwinder finds.

use crate::system;
use crate::walk::{Stop, MAX_FRAMES};

/// Room for the function that asks, and for more callers than any of the stacks here has.
const ROOM: usize = 4 * MAX_FRAMES;
const HALF: usize = MAX_FRAMES / 2;

pub(crate) struct Reference {
    /// The innermost is the first.
    addresses: [usize; ROOM],
    len: usize,
    /// Whether an address of 0 was seen, which is that of the caller of the outermost function.
    is_complete: bool,
    /// Whether there were more than a walk keeps. Then those in the middle are left out, or all but
    /// the innermost.
    is_cut: bool,
}

impl Reference {
    pub(crate) const NEW: Self =
        Self { addresses: [0; ROOM], len: 0, is_complete: false, is_cut: false };

    /// Inlined, so that the innermost address is in the function that calls this.
    #[inline(always)]
    pub(crate) fn capture(&mut self) {
        self.len = 0;
        self.is_complete = false;
        system::unwind(|address| self.visit(address));
        assert!(self.len < ROOM, "stacks are deeper than was thought");
        self.is_cut = self.len > 1 + MAX_FRAMES;
        match (self.is_cut, self.is_complete) {
            (false, _) => {}
            (true, true) => {
                self.addresses.copy_within(self.len - HALF..self.len, 1 + HALF);
                self.len = 1 + MAX_FRAMES;
            }
            // If a stack ends early, there is no outer end to keep.
            (true, false) => self.len = 1 + HALF,
        }
    }

    /// What a walk must find. The innermost is the first.
    pub(crate) fn return_addresses(&self) -> &[usize] {
        self.addresses.get(1..self.len).unwrap_or_default()
    }

    pub(crate) fn stop(&self) -> Stop {
        match (self.is_complete, self.is_cut) {
            (true, true) => Stop::MiddleLeftOut,
            (true, false) => Stop::Complete,
            (false, true) => Stop::TooDeep,
            (false, false) => Stop::UnknownCode,
        }
    }

    /// Whether to go on.
    fn visit(&mut self, address: usize) -> bool {
        if address == 0 {
            self.is_complete = true;
            return false;
        }
        let Some(place) = self.addresses.get_mut(self.len) else { return false };
        *place = address;
        self.len += 1;
        self.len < ROOM
    }
}
