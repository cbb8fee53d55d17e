//! Cold: what people read: the report of a broken budget, and `AllocStats` in words. (That
//! of growth is in `growth`.)
//!
//! - [`exceeded`]: what `Exceeded` prints; [`text`]: the report; [`layout`]: its lines;
//! - [`table`]: the limits in it; [`call_sites`]: where the allocations were made;
//!   [`site_list`]: one list of these; [`command`]: the command that shows more;
//! - [`annotation`]: the same in a line, for GitHub Actions;
//! - [`changes`]: what changed from one recording to another; [`recorded`]: what was recorded
//!   before; [`dhat`]: the file that is written with it; [`stats`]: what `AllocStats` prints.

mod annotation;
#[cfg(feature = "backtraces")]
mod call_sites;
#[cfg(feature = "backtraces")]
mod changes;
pub(crate) mod command;
#[cfg(feature = "backtraces")]
mod dhat;
mod exceeded;
pub(crate) mod layout;
mod recorded;
#[cfg(feature = "backtraces")]
pub(crate) mod site_list;
mod stats;
mod table;
mod text;

pub(crate) use exceeded::formatted;
