//! Load commands of made-up files.

use crate::mach_o::code;

/// A segment of 64 bits: where it is, how large, and what may be done with it.
fn segment(address: u64, size: u64, protection: u32) -> Vec<u8> {
    let mut bytes = [0x19_u32, 72].map(u32::to_le_bytes).concat();
    bytes.extend([b'_'; 16]);
    bytes.extend([address, size, 0, size].map(u64::to_le_bytes).concat());
    bytes.extend([7, protection, 0, 0].map(u32::to_le_bytes).concat());
    bytes
}

fn other(kind: u32, length: usize) -> Vec<u8> {
    let mut bytes = [kind, length as u32].map(u32::to_le_bytes).concat();
    bytes.resize(length, 0xff);
    bytes
}

#[test]
fn code_is_in_segments_that_may_be_executed() {
    let commands = [
        segment(0, 0x1_0000_0000, 0),
        segment(0x1_0000_0000, 0x4000, 5),
        other(0x2, 24),
        segment(0x1_0000_4000, 0x1000, 3),
        segment(0x2_0000_0000, u64::MAX, 4),
    ];
    let [text, last] = [0x1_0000_0000..0x1_0000_4000, 0x2_0000_0000..u64::MAX];
    assert_eq!(code(&commands.concat(), 5), [text.clone(), last]);
    assert_eq!(code(&commands.concat(), 3), [text], "there are no more");
}

#[test]
fn commands_that_make_no_sense_end_the_list() {
    let good = segment(0x1000, 0x1000, 5);
    let text = 0x1000..0x2000;
    let expected = [text];
    for bad in [other(1, 8)[..7].to_vec(), [1_u32, 4].map(u32::to_le_bytes).concat()] {
        assert_eq!(code(&[good.clone(), bad, good.clone()].concat(), 3), expected);
    }
    let long = [0x19_u32, u32::MAX].map(u32::to_le_bytes).concat();
    assert_eq!(code(&[good.clone(), long, good.clone()].concat(), 3), expected);
    for end in 0..good.len() {
        assert_eq!(code(&good[..end], 9), []);
    }
}
