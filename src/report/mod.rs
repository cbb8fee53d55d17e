//! Cold: what people read: the text of a broken budget, and `AllocStats` in words.

mod number;
mod stats;
mod text;

pub(crate) use text::text;
