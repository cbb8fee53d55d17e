//! Hot: what the library has from the system itself, past the allocator that it counts: memory, and
//! containers in it.
//!
//! - [`memory`]: pages; [`vec`](self::vec) and [`stable_vec`]: arrays in them;
//! - [`pool`]: things that are lent and given back, and never freed;
//! - [`asm_symbol`]: the names of functions written in assembly;
//! - [`loader`]: what it tells of the files that are loaded.

mod asm_symbol;
pub(crate) mod loader;
pub(crate) mod memory;
mod pool;
#[cfg(test)]
pub(crate) mod random_tests;
mod stable_vec;
mod vec;

pub(crate) use asm_symbol::asm_symbol;
pub(crate) use pool::{Links, Pool, Pooled};
pub(crate) use stable_vec::StableVec;
pub(crate) use vec::{OutOfMemory, SystemVec};
