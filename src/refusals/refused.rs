//! Hot: `Refused`, a request that was refused and is beyond a limit, and what is said of it.

use std::panic::Location;
use std::sync::atomic::Ordering::Relaxed;

use super::question::{self, Question};
use super::text::Text;
use crate::stacks::{HeldCode, Stack};
use crate::sys::AtomicU64;

pub(crate) struct Refused {
    pub(crate) bytes: u64,
    /// What the budget allows.
    pub(crate) max: u64,
    /// `None` if it is not known.
    pub(crate) stack: Option<&'static Stack>,
    pub(crate) code: HeldCode,
}

/// What was said already, by its hash; 0 where there is room.
static SAID: [AtomicU64; 256] = {
    #[allow(clippy::declare_interior_mutable_const)] // A template.
    const FREE: AtomicU64 = AtomicU64::new(0);
    [FREE; 256]
};

impl Refused {
    /// Says it on stderr, once for each budget and place: a parser may try again and again.
    #[cold]
    pub(crate) fn say(&self) {
        if !self.is_new() {
            return;
        }
        let HeldCode { path, function, location } = self.code;
        let mut text = Text::new();
        text.push("\nmod-alloc: a request for ").push_grouped(self.bytes);
        text.push(" bytes is refused, beyond the budget's `max_block_bytes = ");
        text.push_number(self.max).push("`\n  budget: ");
        if !path.is_empty() {
            text.push(path).push("::");
        }
        if !function.is_empty() {
            text.push(function).push("  ");
        }
        text.push(location.file()).push(":").push_number(location.line().into()).push("\n");
        if let Some(stack) = self.stack {
            let question = Question { stack, location };
            question::ask(question, &mut text, "  requested at: ", "\n");
        }
        text.say();
    }

    /// Whether nothing was said of this budget and place so far. It takes the innermost calls for
    /// the place: recursion would have any number of stacks. Where more was said than there is room
    /// for, nothing more is.
    fn is_new(&self) -> bool {
        const INNERMOST: usize = 12;
        let place =
            self.stack.map_or(0, |stack| stack.innermost(INNERMOST).unwrap_or(stack).hash());
        let location: *const Location<'static> = self.code.location;
        let hash = place.rotate_left(32) ^ location as usize as u64;
        let hash = hash.max(1);
        for said in &SAID {
            match said.compare_exchange(0, hash, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(known) if known == hash => return false,
                Err(_) => {}
            }
        }
        false
    }
}
