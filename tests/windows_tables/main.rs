//! The parser of Windows' unwind tables, held to what the system's own unwinder makes of the same
//! tables. `O0.dll` and `O2.dll` are made by `make.sh` of `tables.c` and `odd.s`; what
//! `RtlVirtualUnwind` finds at each return address in them stands in the files beside them.
//!
//! The parser's files are compiled into this test, so that it runs on every target.
#![allow(dead_code)] // Not all of it is asked for here.

#[path = "../../src/walk/windows/image.rs"]
mod image;
#[path = "../common/random.rs"]
mod random;
#[path = "../../src/walk/windows/unwind_info.rs"]
mod unwind_info;

use image::{Headers, HEADERS_BYTES};
use random::Random;
use unwind_info::{frame_at, Frame, Function, Section};

/// A library as a loader lays it out.
fn loaded(file: &[u8]) -> Vec<u8> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let start = word(0x3c);
    let (count, sections) = (word(start + 4) >> 16, start + 24 + (word(start + 20) & 0xffff));
    let mut image = vec![0; word(start + 24 + 56)];
    image[..HEADERS_BYTES.min(1024)].copy_from_slice(&file[..1024]);
    for at in (0..count).map(|number| sections + 40 * number) {
        let (size, to, from) = (word(at + 8).min(word(at + 16)), word(at + 12), word(at + 20));
        image[to..to + size].copy_from_slice(&file[from..from + size]);
    }
    image
}

fn frame(image: &[u8], place: usize) -> Option<Frame> {
    let headers = Headers::read(image.get(..HEADERS_BYTES)?)?;
    let (table, size) = headers.functions;
    let function = Function::at(image.get(table..table.checked_add(size)?)?, place)?;
    let (start, end) = headers.section_at(function.information & !1)?;
    frame_at(Section { start, bytes: image.get(start..end)? }, function, place)
}

/// As the reference prints it.
fn line(place: usize, frame: Option<Frame>) -> String {
    let Some(frame) = frame else { return format!("{place:x} none") };
    let Frame { is_by_rbp, cfa, rbp, .. } = frame;
    let register = if is_by_rbp { "rbp" } else { "rsp" };
    let rbp = rbp.map_or("rbp".to_owned(), |rbp| format!("CFA + {rbp}"));
    format!("{place:x} {register} + {cfa}, {rbp}")
}

const O0: (&[u8], &str) = (include_bytes!("O0.dll"), include_str!("O0.txt"));
const O2: (&[u8], &str) = (include_bytes!("O2.dll"), include_str!("O2.txt"));

#[test]
fn each_return_address_has_the_frame_that_the_system_finds() {
    for (file, expected) in [O0, O2] {
        let image = loaded(file);
        let (mut known, mut unknown) = (0, 0);
        for expected in expected.lines() {
            let place = usize::from_str_radix(expected.split(' ').next().unwrap(), 16).unwrap();
            let frame = frame(&image, place);
            if expected.ends_with("another register") || expected.ends_with("nothing") {
                assert_eq!(frame, None, "{expected}");
                unknown += 1;
            } else {
                assert_eq!(line(place, frame), expected);
                known += 1;
            }
        }
        assert!(known > 30 && unknown == 2, "{known}, {unknown}");
    }
}

/// What the frame takes of the stack if nothing is allocated in it but by its prologue.
#[test]
fn the_size_of_a_frame_is_that_of_its_prologue() {
    let image = loaded(O2.0);
    let mut by_rbp = 0;
    for expected in O2.1.lines() {
        let place = usize::from_str_radix(expected.split(' ').next().unwrap(), 16).unwrap();
        let Some(frame) = frame(&image, place) else { continue };
        by_rbp += usize::from(frame.is_by_rbp);
        // `variable` pushes rbp, sets the frame, and allocates 48 bytes.
        let is_exact = frame.is_by_rbp || frame.size == frame.cfa;
        assert!(is_exact && frame.size % 8 == 0 && frame.size >= 8, "{expected}: {frame:?}");
        if frame.is_by_rbp && frame.cfa == 16 {
            assert_eq!(frame.size, 64, "{expected}");
        }
    }
    assert!(by_rbp > 5, "{by_rbp}");
}

#[test]
fn no_change_of_a_byte_makes_the_parser_panic_or_read_elsewhere() {
    let mut random = Random::new(1);
    for (file, expected) in [O0, O2] {
        let image = loaded(file);
        let places: Vec<usize> = (expected.lines())
            .map(|line| usize::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap())
            .collect();
        let headers = Headers::read(&image[..HEADERS_BYTES]).unwrap();
        let (table, size) = headers.functions;
        let information = Function::at(&image[table..table + size], places[0]).unwrap().information;
        let (start, end) = headers.section_at(information).unwrap();
        let mut found = 0;
        for _ in 0..20_000 {
            let mut changed = image.clone();
            for _ in 0..=random.below(3) {
                let parts = [0..512, table..table + size, start..end];
                let part = &parts[random.below(3)];
                let at = part.start + random.below(part.len());
                changed[at] = random.below(256) as u8;
            }
            let place = places[random.below(places.len())];
            found += usize::from(frame(&changed, place).is_some());
        }
        assert!(found > 1_000, "{found}");
    }
}
