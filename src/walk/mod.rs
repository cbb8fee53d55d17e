//! Hot: walks the stack of the current thread: the return addresses that lead to an allocation.
//! Called by `stacks` at each event of a recording scope; `symbolize` asks for rules, not walks.
//!
//! In plain words: an unwinder turns the registers of a function into those of its caller, again
//! and again. What it needs to know about a return address is one row of a table that compilers
//! write for exceptions (`.eh_frame`), and of that row only how the caller's stack pointer and
//! frame pointer are found: a [`rule`]. To find and parse a row takes a microsecond; the rule is
//! then kept in one word of a fixed table, and a walk over known addresses takes a load of that
//! word and two of the stack for each frame.
//!
//! Every read of the stack is checked to lie between the stack pointer and the end of the stack.
//! Where there is no rule, or what it gives cannot be, the walk stops and says why ([`Stop`])
//! rather than guess.
//!
//! The parts:
//! - [`rule`]: a rule, as data; [`stop`]: why a walk ended; [`walked`]: what came of it;
//! - `target`: the walker. `x86_64_linux` is the one for what its name says, with glibc or musl;
//!   `target.rs` has the same interface for every other target, and walks nothing.

mod rule;
mod stop;
mod walked;

// The one place that says where stacks are walked, but for `symbolize`, which must say the same: a
// condition can have no name, and a macro that declares modules would hide them from rustfmt.
#[cfg_attr(
    all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        target_os = "linux",
        any(target_env = "gnu", target_env = "musl"),
        not(miri)
    ),
    path = "x86_64_linux/mod.rs"
)]
mod target;

pub(crate) use rule::{Caller, Cfa, SavedRbp};
pub(crate) use stop::Stop;
#[allow(unused_imports)] // Of `tests/unwinding`, which includes this file.
pub(crate) use stop::MAX_FRAMES;
pub(crate) use target::{
    caller_at, is_forked, is_on_first_stack, prepare, watch_forks, Registers, SideStack, Walker,
    UNAVAILABLE,
};
pub(crate) use walked::Walked;
