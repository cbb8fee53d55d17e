//! Hot: walks the stack of the current thread: the return addresses that lead to an allocation.
//! Called by `stacks` at each event of a recording scope; `symbolize` asks for rules, not walks.
//!
//! In plain words: an unwinder turns the registers of a function into those of its caller, again
//! and again. What it needs to know about a return address is one row of a table that compilers
//! write for exceptions (`.eh_frame`, `.pdata`), and of that row only how the caller's stack
//! pointer and frame pointer are found: a *rule* ([`caller`]). To find and parse a row takes a
//! microsecond; the rule is then kept in one word of a fixed table, and a walk over known addresses
//! takes a load of that word and two of the stack for each frame.
//!
//! Every read of the stack is checked to lie between the stack pointer and the end of the stack.
//! Where there is no rule, or what it gives cannot be, the walk stops and says why ([`Stop`])
//! rather than guess.
//!
//! The parts:
//! - [`caller`]: what a rule says, as data; [`stop`]: why a walk ended; [`walked`]: what came of
//!   it;
//! - `target`: the walker. For each target that has one, a file of `targets` lists what it is made
//!   of: `common` to all; a folder for the processor (`x86_64`), one for where rules come from
//!   (`elf`, `windows`), and files for what the system knows of stacks (`linux`, `unix`,
//!   `windows`). `target.rs` has the same interface for every other target, and walks nothing.

mod caller;
mod stop;
mod walked;

// The one place that says where stacks are walked, but for `symbolize`, which must say the same: a
// condition can have no name, and a macro that declares modules would hide them from rustfmt.
// `tests/architecture` compares the two.
#[cfg_attr(
    all(
        target_arch = "x86_64",
        target_pointer_width = "64",
        target_os = "linux",
        any(target_env = "gnu", target_env = "musl"),
        not(miri)
    ),
    path = "targets/x86_64_linux.rs"
)]
#[cfg_attr(
    all(
        target_arch = "aarch64",
        target_pointer_width = "64",
        target_endian = "little",
        target_os = "linux",
        any(target_env = "gnu", target_env = "musl"),
        not(miri)
    ),
    path = "targets/aarch64_linux.rs"
)]
#[cfg_attr(
    all(target_arch = "x86_64", target_pointer_width = "64", windows, not(miri)),
    path = "targets/x86_64_windows.rs"
)]
#[cfg_attr(
    all(target_arch = "x86_64", target_vendor = "apple", not(miri)),
    path = "targets/x86_64_apple.rs"
)]
#[cfg_attr(
    all(target_arch = "aarch64", target_pointer_width = "64", target_vendor = "apple", not(miri)),
    path = "targets/aarch64_apple.rs"
)]
pub(crate) mod target;

#[allow(unused_imports)] // Without call sites, nothing is laid out.
pub(crate) use caller::{Caller, Cfa, ReturnAddress, SavedFp};
pub(crate) use stop::Stop;
#[allow(unused_imports)] // Of `tests/unwinding`, which includes this file.
pub(crate) use stop::MAX_FRAMES;
#[allow(unused_imports)] // As above.
pub(crate) use target::caller_at;
pub(crate) use target::{
    is_forked, is_on_first_stack, prepare, watch_forks, Registers, SideStack, Walker, UNAVAILABLE,
};
pub(crate) use walked::Walked;
