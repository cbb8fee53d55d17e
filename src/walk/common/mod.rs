//! Hot: what all targets have in common whose stacks are walked.
//!
//! From the walk inwards:
//! - [`walker`]: walks, and remembers the last walk in order to verify it instead of repeating it;
//!   [`kept`]: what it keeps;
//! - [`walk`]: one walk, step by step;
//! - [`rules`]: the look-up of a rule; [`rule_table`]: those that are known.
//!
//! `code_tests`, `made_up_tests` and `tests` are listed for the targets where they hold.
//!
//! A file of `walk/targets` puts beside it, for each target:
//! - `arch`: `registers`, where a walk begins; `step`, one of its steps; `loops`, the three
//!   frequent parts of a walk; `rule`, a rule in a word; `call_aside`, which changes stacks;
//! - `tables`: from a return address to what the system's tables say of it (of those of ELF, with
//!   `dwarf`);
//! - `bounds`: how far a thread's stack reaches; `forks`: whether `fork` made this process;
//! - `side_stack`: the stack on which walks are done, if there is one.

pub(crate) mod kept;
pub(crate) mod rule_table;
pub(crate) mod rules;
mod walk;
mod walker;

#[allow(unused_imports)] // Where walks go by other rules than unwinders.
pub(crate) use rules::caller_at;
pub(crate) use walker::Walker;
