//! Hot: the tests of the reader of `.eh_frame`: tables of x86_64 that are made up, hostile ones,
//! and those of this program with bytes changed.

use super::bytes::Segment;
use super::eh_frame::{self, LastCies};
use super::header::Functions;
use super::modules::own_tables;
use crate::walk::target::dwarf;
use crate::walk::target::x86_64_dwarf::Dwarf;
use crate::walk::target::x86_64_rule::Rule;
use crate::walk::{Caller, Cfa, SavedFp};

const ADDRESS: usize = 0x10_0000;
/// Where the function of the tests lies.
const START: usize = 0x4000;
const LENGTH: usize = 0x100;

/// Nothing is remembered from one look-up to the next.
fn caller_at(segment: Segment<'_>, fde: usize, pc: usize) -> Option<Caller> {
    let mut nothing = LastCies::NONE;
    eh_frame::caller_at::<Dwarf>(segment, fde, pc, &mut nothing)
}

/// The contents of a CIE as compilers write it.
fn cie() -> Vec<u8> {
    let mut cie = vec![0, 0, 0, 0, 1];
    cie.extend(b"zR\0");
    // Factors 1 and -8, return address 16; absolute pointers.
    cie.extend([1, 0x78, 16, 1, 0x00]);
    cie.extend([0x0c, 7, 8, 0x90, 1]); // CFA = rsp + 8, return address at CFA - 8.
    cie
}

fn push_entry(bytes: &mut Vec<u8>, contents: &[u8]) {
    bytes.extend((contents.len() as u32).to_le_bytes());
    bytes.extend(contents);
}

/// A CIE, and an FDE with these instructions. Gives the offset of the FDE, too.
fn tables(cie: &[u8], instructions: &[u8]) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    push_entry(&mut bytes, cie);
    let fde = bytes.len();
    let mut contents = (fde as u32 + 4).to_le_bytes().to_vec();
    contents.extend(START.to_le_bytes());
    contents.extend(LENGTH.to_le_bytes());
    contents.push(0);
    contents.extend(instructions);
    push_entry(&mut bytes, &contents);
    (bytes, fde)
}

fn rule_in(cie: &[u8], instructions: &[u8], pc: usize) -> Option<Caller> {
    let (bytes, fde) = tables(cie, instructions);
    let segment = Segment { bytes: &bytes, address: ADDRESS };
    caller_at(segment, ADDRESS + fde, pc).map(|caller| Rule::of(caller).caller())
}

#[track_caller]
fn check(instructions: &[u8], cfa: Cfa, fp: SavedFp) {
    let pc = START + LENGTH - 1;
    assert_eq!(rule_in(&cie(), instructions, pc), Some(Caller::frame(cfa, fp)));
}

#[track_caller]
fn check_unknown(instructions: &[u8]) {
    let rule = rule_in(&cie(), instructions, START);
    assert!(matches!(rule, None | Some(Caller::Unknown)), "{rule:?}");
}

#[test]
fn the_row_of_a_function_changes_on_its_way() {
    let usual = [
        0x41, 0x0e, 16, 0x86, 2, // push rbp
        0x43, 0x0d, 6, // mov rbp, rsp
        0x02, 0x80, 0x0c, 7, 8, // pop rbp; ret
    ];
    let at = |pc| rule_in(&cie(), &usual, pc);
    let frame = |cfa, fp| Some(Caller::frame(cfa, fp));
    assert_eq!(at(START - 1), None);
    assert_eq!(at(START), frame(Cfa::Sp(8), SavedFp::Same));
    for pc in 1..4 {
        assert_eq!(at(START + pc), frame(Cfa::Sp(16), SavedFp::BelowCfa(16)));
    }
    for pc in [4, 0x83] {
        assert_eq!(at(START + pc), frame(Cfa::Fp(16), SavedFp::BelowCfa(16)));
    }
    assert_eq!(at(START + 0x84), frame(Cfa::Sp(8), SavedFp::BelowCfa(16)));
    assert_eq!(at(START + LENGTH), None);
}

#[test]
fn every_way_to_advance_is_understood() {
    use SavedFp::Same;
    check(&[0x7f, 0x0e, 16], Cfa::Sp(16), Same);
    check(&[0x02, 0xff, 0x0e, 16], Cfa::Sp(16), Same);
    check(&[0x03, 0xff, 0x00, 0x0e, 16], Cfa::Sp(16), Same);
    check(&[0x04, 0xff, 0x00, 0x00, 0x00, 0x0e, 16], Cfa::Sp(16), Same);
    check(&[0x03, 0x00, 0x01, 0x0e, 16], Cfa::Sp(8), Same);
    check(&[0x04, 0x00, 0x01, 0x00, 0x00, 0x0e, 16], Cfa::Sp(8), Same);
    check(&[0x01, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0x0e, 16], Cfa::Sp(16), Same);
    check(&[0x01, 0x00, 0x41, 0, 0, 0, 0, 0, 0, 0x0e, 16], Cfa::Sp(8), Same);
}

#[test]
fn every_way_to_say_where_the_frame_is_is_understood() {
    use SavedFp::{BelowCfa, Same};
    check(&[0x0c, 6, 0x90, 0x01], Cfa::Fp(0x90), Same);
    check(&[0x12, 7, 0x7e], Cfa::Sp(16), Same); // Signed, and in words of -8 bytes.
    check(&[0x13, 0x7d], Cfa::Sp(24), Same);
    check(&[0x86, 3], Cfa::Sp(8), BelowCfa(24));
    check(&[0x05, 6, 3], Cfa::Sp(8), BelowCfa(24));
    check(&[0x11, 6, 3], Cfa::Sp(8), BelowCfa(24));
    check(&[0x86, 3, 0xc6], Cfa::Sp(8), Same);
    check(&[0x86, 3, 0x06, 6], Cfa::Sp(8), Same);
    check(&[0x87, 3, 0xc7], Cfa::Sp(8), Same); // rsp is the CFA again.
    check(&[0x86, 3, 0x08, 6], Cfa::Sp(8), Same);
    check(&[0x86, 3, 0x07, 6], Cfa::Sp(8), Same);
    check(&[0x0a, 0x0e, 32, 0x86, 3, 0x0b], Cfa::Sp(8), Same);
    check(&[0x10, 6, 2, 0x76, 0, 0x0f, 3, 0x76, 0x78, 6], Cfa::AtFp(-8), SavedFp::AtFp);
    check(&[0x10, 6, 2, 0x76, 0, 0x0c, 6, 16], Cfa::Fp(16), BelowCfa(16));
}

#[test]
fn other_registers_are_passed_over() {
    let others = [
        0x83, 7, 0x8c, 6, 0x09, 3, 12, 0x14, 12, 1, 0x15, 13, 1, 0x16, 14, 1, 0x30, 0x10, 15, 2,
        0x77, 8, 0x2e, 16, 0x00, 0xc3,
    ];
    check(&others, Cfa::Sp(8), SavedFp::Same);
}

#[test]
fn a_function_without_return_address_is_outermost() {
    assert_eq!(rule_in(&cie(), &[0x07, 16], START), Some(Caller::Outermost));
}

#[test]
fn what_cannot_be_expressed_has_no_rule() {
    check_unknown(&[0x0c, 10, 8]); // r10
    check_unknown(&[0x0f, 2, 0x77, 8]); // rsp + 8, as an expression
    check_unknown(&[0x0f, 3, 0x76, 0x78, 0x23]);
    check_unknown(&[0x10, 6, 2, 0x77, 0]);
    check_unknown(&[0x10, 6, 2, 0x76, 8]);
    check_unknown(&[0x09, 6, 3]); // rbp is in rbx
    check_unknown(&[0x08, 16]);
    check_unknown(&[0x90, 2]);
    check_unknown(&[0x87, 3]); // The caller's rsp is not the CFA: saved,
    check_unknown(&[0x09, 7, 8]); // in r8, as in glibc's `longjmp`,
    check_unknown(&[0x16, 7, 2, 0x77, 8]); // or computed.
    check_unknown(&[0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
}

/// The fixed corpus of hostile instructions.
#[test]
fn hostile_instructions_have_no_rule() {
    check_unknown(&[0x0b]); // Restores what was not remembered.
    check_unknown(&[0x0a; 9]); // Remembers for ever.
    check_unknown(&[0x3f]);
    check_unknown(&[0x1d]);
    check_unknown(&[0x0e]);
    check_unknown(&[0x0e, 0x80]);
    check_unknown(&[0x86]);
    check_unknown(&[0x02]);
    check_unknown(&[0x03, 1]);
    check_unknown(&[0x04, 1, 1, 1]);
    check_unknown(&[0x01, 1]);
    check_unknown(&[0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    check_unknown(&[0x0f, 0, 0x0d, 7]); // Another register for what has none.
    check_unknown(&[0x0f, 0, 0x0e, 8]);
    check_unknown(&[0x0f, 0, 0x13, 1]);
    check_unknown(&[0x16, 6, 0x7f]);
    // The greatest and the least numbers.
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
    for number in [most, least] {
        for before in [&[0x0c, 7][..], &[0x0c, 6], &[0x12, 7], &[0x13], &[0x86], &[0x11, 6]] {
            let instructions = [before, &number].concat();
            let rule = rule_in(&cie(), &instructions, START);
            assert!(
                matches!(
                    rule,
                    None | Some(Caller::Unknown) | Some(Caller::Frame { cfa: Cfa::Sp(8), .. })
                ),
                "{instructions:x?}: {rule:?}"
            );
        }
    }
    // Advances over the end of the address space, again and again.
    check(&[0x04, 0xff, 0xff, 0xff, 0xff].repeat(1_000), Cfa::Sp(8), SavedFp::Same);
}

#[test]
fn hostile_entries_have_no_rule() {
    let change = |at: usize, value: u8| {
        let mut cie = cie();
        cie[at] = value;
        cie
    };
    assert!(rule_in(&cie(), &[], START).is_some());
    for (at, value) in [
        (0, 1),     // Not a CIE.
        (4, 2),     // A version there is not.
        (5, b'a'),  // Augmentations there are not.
        (6, b'S'),  // The frame of a signal handler.
        (7, b'z'),  // An augmentation without end.
        (10, 17),   // The return address elsewhere.
        (11, 0xff), // More data than there is.
        (12, 0xff), // Addresses left out,
        (12, 0x9b), // or indirect.
        (12, 0x05),
    ] {
        assert_eq!(rule_in(&change(at, value), &[], START), None, "{at}: {value:#x}");
    }
    let (bytes, fde) = tables(&cie(), &[0x0e, 16]);
    let rule = |bytes: &[u8], fde| {
        caller_at(Segment { bytes, address: ADDRESS }, ADDRESS.wrapping_add(fde), START)
    };
    assert!(rule(&bytes, fde).is_some());
    for length in 0..bytes.len() {
        assert!(rule(&bytes[..length], fde).is_none(), "{length}");
    }
    assert!(rule(&bytes, 0).is_none(), "a CIE is no FDE");
    for offset in [fde + 1, bytes.len(), bytes.len() + 1, usize::MAX, usize::MAX / 2] {
        assert!(rule(&bytes, offset).is_none());
    }
    for length in [0, 1, 3, u32::MAX, u32::MAX - 1, u32::MAX / 2] {
        let mut bytes = bytes.clone();
        bytes[fde..fde + 4].copy_from_slice(&length.to_le_bytes());
        assert!(rule(&bytes, fde).is_none(), "{length}");
    }
    for distance in [0, 1, fde as u32 + 3, fde as u32 + 5, u32::MAX] {
        let mut bytes = bytes.clone();
        bytes[fde + 4..fde + 8].copy_from_slice(&distance.to_le_bytes());
        assert!(rule(&bytes, fde).is_none(), "{distance}");
    }
}

#[test]
fn entries_that_were_read_before_are_not_mixed_up() {
    let (mut bytes, mut entries) = (Vec::new(), Vec::new());
    for words in 1..=4 {
        let mut cie = cie();
        let offset = cie.len() - 3;
        cie[offset] = 8 * words;
        let (table, fde) = tables(&cie, &[]);
        entries.push((ADDRESS + bytes.len() + fde, Cfa::Sp(8 * usize::from(words))));
        bytes.extend(table);
    }
    let segment = Segment { bytes: &bytes, address: ADDRESS };
    let mut last = LastCies::NONE;
    for at in [0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 3, 2, 1, 0, 2, 0, 2, 1, 1, 3, 0] {
        let (fde, expected) = entries[at];
        // One that cannot be read is none.
        assert_eq!(eh_frame::caller_at::<Dwarf>(segment, ADDRESS + 1, START, &mut last), None);
        assert_eq!(eh_frame::caller_at::<Dwarf>(segment, fde + 1, START, &mut last), None);
        let caller = eh_frame::caller_at::<Dwarf>(segment, fde, START, &mut last);
        assert!(matches!(caller, Some(Caller::Frame { cfa, .. }) if cfa == expected), "{caller:?}");
    }
}

#[test]
fn real_tables_survive_any_change_of_their_bytes() {
    let caller_at = |segment: Segment<'_>, fde: usize, pc: usize| {
        let mut nothing = LastCies::NONE;
        eh_frame::caller_at::<dwarf::Dwarf>(segment, fde, pc, &mut nothing)
    };
    let (segment, header, functions) = own_tables();
    assert!(functions.len() > 1_000);
    let mut bytes = segment.bytes.to_vec();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) as usize % limit
    };
    let (mut known, mut lost) = (0, 0);
    for round in 0..30_000 {
        let (start, fde) = functions[below(functions.len())];
        let at = fde - segment.address;
        let pc = start + below(64);
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
        let distance =
            u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        let cie = at + 4 - distance;
        let undamaged = Segment { bytes: &bytes, address: segment.address };
        assert_eq!(Functions::read(undamaged, header).entry_of(start), Some(fde));
        let before = caller_at(undamaged, fde, pc);
        let mut damage = Vec::new();
        for _ in 0..=below(4) {
            let place = match below(4) {
                0 => cie + below(32),
                1 => header - segment.address + below(32),
                _ => at + below(length + 4),
            };
            damage.push((place, bytes[place]));
            bytes[place] = match below(3) {
                0 => 0xff,
                1 => bytes[place] ^ 1 << below(8),
                _ => below(256) as u8,
            };
        }
        let cut = if round % 8 == 0 { below(length + 4) + at } else { bytes.len() };
        let damaged = Segment { bytes: &bytes[..cut], address: segment.address };
        let after = caller_at(damaged, fde, pc);
        if let Some(found) = Functions::read(damaged, header).entry_of(pc) {
            caller_at(damaged, found, pc);
        }
        known += usize::from(before.is_some());
        lost += usize::from(before.is_some() && after.is_none());
        for (place, byte) in damage.into_iter().rev() {
            bytes[place] = byte;
        }
    }
    assert!(known > 20_000 && lost > 10_000, "{known} {lost}");
}
