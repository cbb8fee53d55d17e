//! Feeds the parser of Apple's compact unwind tables with anything. `tests/fuzz/README.md` says how
//! to run it. The input is a table, and an offset in the file that it is of.
#![no_main]
#![allow(dead_code, unreachable_pub)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../src/walk/apple/unwind_info.rs"]
mod unwind_info;

use unwind_info::{encoding_at, Frame, Function, Processor};

fuzz_target!(|input: (u32, &[u8])| {
    let (offset, table) = input;
    let Some(encoding) = encoding_at(table, offset) else { return };
    for processor in [Processor::X86_64, Processor::Arm64] {
        if let Some(Function::Framed(frame)) = Function::of(encoding, processor) {
            assert!(frame.below <= Frame::FURTHEST.below && frame.above <= Frame::FURTHEST.above);
        }
    }
});
