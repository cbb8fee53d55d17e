//! Hot: the live blocks that are kept, for scopes that ask which of their blocks are live at the
//! end and for heap profiles.
//!
//! - [`live`]: the table of live blocks; [`nodes`]: its entries;
//! - [`leak_counter`]: how many blocks of one scope are live;
//! - [`heap_profile`]: what the blocks of each stack come to; [`program_point`]: of one stack;
//!   [`process_profile`]: the heap profiles of the whole process;
//! - [`birth`] and [`clock`]: how long a block lives;
//! - [`tracked`]: where the blocks of a scope are entered.

mod birth;
mod clock;
mod heap_profile;
mod leak_counter;
mod live;
mod nodes;
mod process_profile;
mod program_point;
mod tracked;

pub(crate) use heap_profile::{HeapProfile, Times};
pub(crate) use leak_counter::{is_tracking, LeakCounter};
pub(crate) use live::{begin_realloc, end_realloc, forget_freed, MovingBlock};
pub(crate) use process_profile::{profile_event, ProcessHeapProfile};
pub(crate) use program_point::{PointNumbers, ProgramPoint};
pub(crate) use tracked::Tracked;
