//! Hot: what is said of a request that is beyond a budget's `max_block_bytes`, and that the inner
//! allocator refuses. Most code cannot go on without the block: `Vec::with_capacity` ends in
//! `handle_alloc_error`, which aborts the process. So the line on stderr comes before the null.
//!
//! - [`refused`]: what there is to say, and whether it was said before; [`text`]: the words, in
//!   memory of a fixed size;
//! - [`question`]: asks a helper thread for the line of the program, and waits a few seconds.
//!
//! It takes no memory and no lock: the thread may hold any of the program's, of std or of the
//! loader, and may be in a signal handler.

mod question;
mod refused;
mod text;

pub(crate) use question::{answer, has_no_helper_yet, next_question, Question};
pub(crate) use refused::Refused;
