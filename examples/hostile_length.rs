//! Input that claims to be larger than it is: `cargo run --example hostile_length`. A field of four
//! bytes says how many bytes follow. A parser that believes it reserves four gigabytes for a
//! message of ten bytes. What it reserves and never uses shows in no other number.
//!
//! With `-- abort` the parser has no answer to an allocator that refuses, and is aborted.
#![allow(unsafe_code)] // For the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::TryReserveError;
use std::ptr;

use mod_alloc::{alloc_budget, Budget, ModAlloc};

/// The system's allocator may grant what nobody has, as long as nobody touches it. This one refuses
/// to, as one in a small container does.
struct Small;

// SAFETY: it answers with null, or with what `System` answers.
unsafe impl GlobalAlloc for Small {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > 1 << 30 {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static GLOBAL: ModAlloc<Small> = ModAlloc::with(Small);

/// The length that a message claims, and what follows.
fn split(message: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = (message.get(..4)?, message.get(4..)?);
    Some((u32::from_le_bytes(length.try_into().ok()?) as usize, rest))
}

/// Goes on without the memory, if there is none.
fn read(message: &[u8]) -> Result<Vec<u8>, TryReserveError> {
    let mut body = Vec::new();
    if let Some((length, rest)) = split(message) {
        body.try_reserve_exact(length)?;
        body.extend_from_slice(rest);
    }
    Ok(body)
}

/// Does not. There is never a report, for the process is aborted before the end of the budget.
#[alloc_budget(max_block_bytes = 4 * message.len() + 64)]
fn read_or_abort(message: &[u8]) -> Vec<u8> {
    let Some((length, rest)) = split(message) else { return Vec::new() };
    let mut body = Vec::with_capacity(length);
    body.extend_from_slice(rest);
    body
}

fn main() {
    let honest = [6, 0, 0, 0, b'h', b'o', b'n', b'e', b's', b't'];
    let hostile = [255, 255, 255, 255, b'h', b'o', b's', b't', b'i', b'l'];
    if std::env::args().any(|argument| argument == "abort") {
        println!("{}", String::from_utf8_lossy(&read_or_abort(&honest)));
        println!("{}", String::from_utf8_lossy(&read_or_abort(&hostile)));
    }
    for message in [honest, hostile] {
        let budget = Budget::new().max_block_bytes(4 * message.len() as u64 + 64);
        match budget.check(|| read(&message)) {
            Ok(body) => println!("{body:?}"),
            Err(exceeded) => println!("{exceeded}"),
        }
    }
}
