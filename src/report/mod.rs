//! Cold: what people read: the report of a broken budget, and `AllocStats` in words.
//!
//! - [`exceeded`]: what `Exceeded` prints; [`text`]: the report;
//! - [`failure`]: the call sites in it; [`dhat`]: the file that is written with it;
//! - [`stats`]: what `AllocStats` prints.

#[cfg(feature = "backtraces")]
mod dhat;
mod exceeded;
#[cfg(feature = "backtraces")]
mod failure;
mod stats;
mod text;
