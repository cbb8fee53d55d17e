//! Feeds the parsers of unwind tables with anything. `tests/fuzz/README.md` says how to run it.
//!
//! The files of the crate are compiled into it, so that the crate need not make them public. The
//! input is an address in the code, the offsets of an entry and of a header, and then the memory
//! that these are in.
#![no_main]
#![allow(dead_code, unreachable_pub)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../src/walk/x86_64_linux/bytes.rs"]
mod bytes;
#[path = "../../../src/walk/x86_64_linux/eh_frame.rs"]
mod eh_frame;
#[path = "../../../src/walk/x86_64_linux/frame_program.rs"]
mod frame_program;
#[path = "../../../src/walk/x86_64_linux/header.rs"]
mod header;
#[path = "../../../src/walk/rule.rs"]
mod rule;

/// Where the memory lies, so that entries can be relative to themselves.
const ADDRESS: usize = 0x5555_0000_0000;

fuzz_target!(|input: (u16, u16, u16, &[u8])| {
    let (pc, entry, header, memory) = input;
    let segment = bytes::Segment { bytes: memory, address: ADDRESS };
    let pc = ADDRESS.wrapping_add(usize::from(pc)).wrapping_sub(1 << 15);
    let found = header::Functions::read(segment, ADDRESS + usize::from(header)).entry_of(pc);
    let mut last = eh_frame::LastCies::NONE;
    for entry in [Some(ADDRESS + usize::from(entry)), found].into_iter().flatten() {
        if let Some(caller) = eh_frame::caller_at(segment, entry, pc, &mut last) {
            let rule = rule::Rule::of(caller);
            assert!(rule.word() != 0 && rule.word() >> rule::Rule::BITS == 0);
            let _ = rule.caller();
        }
    }
});
