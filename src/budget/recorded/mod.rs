//! Cold: budgets whose limit is what was recorded last, in a file of the repository.
//!
//! - [`record`]: which record a budget has; [`path`]: in which file; [`judge`]: whether what was
//!   measured is what was recorded, or is accepted;
//! - [`text`]: what stands in a file; [`store`]: how it is read and written.
//!
//! A record is read when a budget begins, and its number is the limit from then on. So a budget
//! that holds looks up nothing. One that does not is judged here, without the test harness.

mod judge;
mod path;
mod record;
mod store;
mod text;

pub(crate) use judge::Verdict;
pub(crate) use record::{Record, Recorded};
