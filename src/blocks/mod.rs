//! Hot: the live blocks that are kept, for scopes that ask which of their blocks are live at the
//! end and for heap profiles.
//!
//! - [`table`]: the table of live blocks, made of [`nodes`]; [`entry`]: what it says of a block;
//! - [`live`]: enters blocks there and takes them out, which changes the numbers of the next two;
//! - [`leak_counter`]: how many blocks of one scope are live;
//! - [`heap_profile`]: what the blocks of each stack come to; [`program_point`]: of one stack;
//!   [`process_profile`]: the heap profiles of the whole process;
//! - [`uses`]: how counters and profiles are used one time after the other;
//! - [`tracking`]: the flag that is up while anybody asks; [`birth`] and [`clock`]: how long a
//!   block lives;
//! - [`tracked`]: where the blocks of a scope are entered.

mod birth;
mod clock;
mod entry;
mod heap_profile;
mod leak_counter;
mod live;
mod nodes;
mod process_profile;
mod program_point;
mod table;
mod tracked;
mod tracking;
mod uses;

pub(crate) use heap_profile::{HeapProfile, Times};
pub(crate) use leak_counter::LeakCounter;
pub(crate) use live::{begin_realloc, end_realloc, forget_freed};
pub(crate) use process_profile::{profile_event, ProcessProfile};
pub(crate) use program_point::{PointNumbers, ProgramPoint};
pub(crate) use table::MovingBlock;
pub(crate) use tracked::Tracked;
pub(crate) use tracking::is_tracking;
pub(crate) use uses::InUse;
#[cfg(test)]
pub(crate) use uses::Reused;
