//! Hot: what all targets have in common whose stacks are walked.
//!
//! From the walk inwards:
//! - [`walker`]: walks, and remembers the last walk in order to verify it instead of repeating it;
//!   [`kept`]: what it keeps;
//! - [`walk`]: one walk, step by step;
//! - [`side_stack`]: the stack on which that is done;
//! - [`rules`]: the look-up of a rule; [`rule_table`]: those that are known.
//!
//! A file of `walk/targets` puts beside it, for each target:
//! - `arch`: `registers`, where a walk begins; `step`, one of its steps; `loops`, the three
//!   frequent parts of a walk; `rule`, a rule in a word; `call_aside`, which changes stacks;
//! - `tables`: from a return address to what the system's tables say of it (of those of ELF, with
//!   `dwarf`);
//! - `bounds`: how far a thread's stack reaches; `forks`: whether `fork` made this process.

pub(crate) mod kept;
// Of rules, which Apple's systems do not need.
#[cfg(all(test, not(target_vendor = "apple")))]
mod made_up_tests;
pub(crate) mod rule_table;
mod rules;
// Windows wants to know of each change of stacks.
#[cfg_attr(windows, path = "../windows/side_stack.rs")]
mod side_stack;
// They ask the unwinder of the C++ runtime.
#[cfg(all(test, unix, not(target_vendor = "apple")))]
mod tests;
mod walk;
mod walker;

#[allow(unused_imports)] // Where walks go by other rules than unwinders.
pub(crate) use rules::caller_at;
pub(crate) use side_stack::SideStack;
pub(crate) use walker::Walker;
