//! What may cross between the library and a program that loads it. It is compiled into both, for
//! they share no Rust library.

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

/// Allocates and frees so many blocks of 8 bytes. Returns what a scope around that has counted.
pub type Allocate = extern "C" fn(blocks: u64) -> Counted;

/// Whether a budget of `max` events holds where `blocks` are allocated.
pub type Holds = extern "C" fn(max: u64, blocks: u64) -> bool;

/// Allocates so many blocks of 8 bytes, which a destructor frees when the thread ends.
pub type Keep = extern "C" fn(blocks: u64);

/// What has been allocated through the library's `ModAlloc` since it was loaded.
pub type Snapshot = extern "C" fn() -> Counted;
