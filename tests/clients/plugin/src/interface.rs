//! What may cross between the library and a program that loads it. Compiled into both: they share
//! no Rust library.

/// Bytes that the library allocates when it is loaded, before anything in it is called.
pub const CONSTRUCTOR_BYTES: u64 = 12_345;

/// The numbers of `AllocStats` that the tests look at.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub events: u64,
    pub bytes: u64,
    pub live_bytes: i64,
}

/// Allocates and frees that many blocks of 8 bytes; returns what a scope around that has counted.
pub type Allocate = extern "C" fn(blocks: u64) -> Counted;

/// Whether a budget of `max` events holds where `blocks` are allocated.
pub type Holds = extern "C" fn(max: u64, blocks: u64) -> bool;

/// Allocates that many blocks of 8 bytes, which a destructor frees when the thread ends.
pub type Keep = extern "C" fn(blocks: u64);

/// What has been allocated through the library's `ModAlloc` since it was loaded.
pub type Snapshot = extern "C" fn() -> Counted;
