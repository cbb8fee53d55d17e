//! Feeds the parser of Windows' unwind tables with anything. `tests/fuzz/README.md` says how to run
//! it.
//!
//! The files of the crate are compiled into it, so that the crate need not make them public. The
//! input is a return address, where the memory lies in its module, of how many functions it begins
//! with a table, and then that memory.
#![no_main]
#![allow(dead_code, unreachable_pub)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../src/walk/windows/image.rs"]
mod image;
#[path = "../../../src/walk/windows/unwind_info.rs"]
mod unwind_info;

fuzz_target!(|input: (u16, u16, u8, &[u8])| {
    let (place, start, functions, memory) = input;
    let table = memory.get(..12 * usize::from(functions)).unwrap_or(memory);
    if let Some(function) = unwind_info::Function::at(table, place.into()) {
        let section = unwind_info::Section { start: start.into(), bytes: memory };
        if let Some(frame) = unwind_info::frame_at(section, function, place.into()) {
            assert!(frame.size >= 8);
        }
    }
    if let Some(headers) = image::Headers::read(memory) {
        if let Some((start, end)) = headers.section_at(place.into()) {
            assert!(start <= place.into() && usize::from(place) < end && end <= headers.size);
        }
    }
});
