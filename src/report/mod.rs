//! Cold: what people read: the text of a broken budget, and `AllocStats` in words.

#[cfg(feature = "backtraces")]
mod failure;
mod stats;
mod text;

pub(crate) use text::text;
