//! Hot: the tests of rows of aarch64 in `.eh_frame`, as compilers write them, and those that have
//! no rule.

use super::bytes::Segment;
use super::eh_frame::{self, LastCies};
use crate::walk::target::aarch64_dwarf::Dwarf;
use crate::walk::target::aarch64_rule::Rule;
use crate::walk::{Caller, Cfa, ReturnAddress, SavedFp};

const ADDRESS: usize = 0x10_0000;
/// Where the function of the tests lies.
const START: usize = 0x4000;
const LENGTH: usize = 0x100;

/// A CIE as GCC writes it, with this augmentation: factors 4 and -8, return address x30, absolute
/// pointers, CFA = sp.
fn cie(augmentation: &[u8]) -> Vec<u8> {
    let mut cie = vec![0, 0, 0, 0, 1];
    cie.extend(augmentation);
    cie.extend([0, 4, 0x78, 30, 1, 0x00, 0x0c, 31, 0]);
    cie
}

fn row_at(offset: usize, augmentation: &[u8], instructions: &[u8]) -> Option<Caller> {
    let mut bytes = Vec::new();
    let mut push = |contents: &[u8]| {
        bytes.extend((contents.len() as u32).to_le_bytes());
        bytes.extend(contents);
        bytes.len()
    };
    let fde = push(&cie(augmentation));
    let mut contents = (fde as u32 + 4).to_le_bytes().to_vec();
    contents.extend(START.to_le_bytes());
    contents.extend(LENGTH.to_le_bytes());
    contents.push(0);
    contents.extend(instructions);
    push(&contents);
    let segment = Segment { bytes: &bytes, address: ADDRESS };
    let mut nothing = LastCies::NONE;
    eh_frame::caller_at::<Dwarf>(segment, ADDRESS + fde, START + offset, &mut nothing)
}

#[track_caller]
fn check(instructions: &[u8], cfa: Cfa, fp: SavedFp, return_address: ReturnAddress) {
    let caller = Caller::Frame { cfa, fp, return_address };
    assert_eq!(row_at(LENGTH - 1, b"zR", instructions), Some(caller));
    assert_eq!(Rule::of(caller).caller(), caller);
}

#[track_caller]
fn check_unknown(instructions: &[u8]) {
    let caller = row_at(LENGTH - 1, b"zR", instructions);
    let rule = caller.map(Rule::of);
    assert!(matches!(rule, None | Some(Rule::UNKNOWN)), "{caller:?}");
}

use ReturnAddress::{InRegister, SignedBelowCfa};
use SavedFp::{BelowCfa, Same};

#[test]
fn the_row_of_a_function_changes_on_its_way() {
    // stp x29, x30, [sp, #-48]!; ...; ldp x29, x30, [sp], #48; ret
    let usual = [0x41, 0x0e, 48, 0x9d, 6, 0x9e, 5, 0x48, 0xdd, 0xde, 0x0e, 0];
    let frame = |cfa, fp, return_address| Some(Caller::Frame { cfa, fp, return_address });
    let at = |offset| row_at(offset, b"zR", &usual);
    for offset in [0, 3, 36, 40] {
        assert_eq!(at(offset), frame(Cfa::Sp(0), Same, InRegister), "{offset}");
    }
    for offset in [4, 35] {
        let call = ReturnAddress::BelowCfa(40);
        assert_eq!(at(offset), frame(Cfa::Sp(48), BelowCfa(48), call), "{offset}");
    }
    assert_eq!(at(LENGTH), None);
}

#[test]
fn the_frames_of_compilers_have_rules() {
    // GCC: the record at the bottom, however large the frame.
    check(
        &[0x0e, 0xb0, 0x04, 0x9d, 70, 0x9e, 69],
        Cfa::Sp(560),
        BelowCfa(560),
        ReturnAddress::BelowCfa(552),
    );
    // LLVM: x29 at the record, which is at the top.
    check(&[0x0c, 29, 16, 0x9e, 1, 0x9d, 2], Cfa::Fp(16), BelowCfa(16), ReturnAddress::BelowCfa(8));
    // x29 within the frame.
    check(
        &[0x0c, 29, 88, 0x9e, 11, 0x9d, 12],
        Cfa::Fp(88),
        BelowCfa(96),
        ReturnAddress::BelowCfa(88),
    );
    // Without x29; other registers are passed over.
    check(
        &[0x0e, 32, 0x9e, 2, 0x93, 1, 0x05, 72, 3],
        Cfa::Sp(32),
        Same,
        ReturnAddress::BelowCfa(16),
    );
    // x30 above x29, the other way round.
    check(&[0x0e, 16, 0x9e, 2, 0x9d, 1], Cfa::Sp(16), BelowCfa(8), ReturnAddress::BelowCfa(16));
}

#[test]
fn signed_return_addresses_are_told() {
    let saved = [0x0e, 16, 0x9e, 1, 0x9d, 2];
    let check_signed =
        |instructions: &[u8], call| check(instructions, Cfa::Sp(16), BelowCfa(16), call);
    check_signed(&[&[0x2d][..], &saved].concat(), SignedBelowCfa(8));
    check_signed(&[&[0x2d, 0x2d][..], &saved].concat(), ReturnAddress::BelowCfa(8));
    // The state is remembered with the row.
    check_signed(&[&[0x2d][..], &saved, &[0x0a, 0x2d, 0x0b]].concat(), SignedBelowCfa(8));
    check(&[0x2d], Cfa::Sp(0), Same, InRegister);
}

#[test]
fn the_outermost_function_says_so() {
    assert_eq!(row_at(0, b"zR", &[0x07, 30]), Some(Caller::Outermost));
}

#[test]
fn frames_of_signal_handlers_and_other_keys_are_refused() {
    assert!(row_at(0, b"zR", &[]).is_some());
    // `S`, `B` (key B) and `G` (tagged memory) have no data.
    for augmentation in [b"zRS", b"zRB", b"zRG", b"zSR", b"zBR"] {
        assert_eq!(row_at(0, augmentation, &[]), None, "{augmentation:?}");
    }
}

#[test]
fn what_cannot_be_expressed_has_no_rule() {
    check_unknown(&[0x0c, 19, 16]); // CFA by another register,
    check_unknown(&[0x0f, 2, 0x8f, 8]); // by an expression,
    check_unknown(&[0x0f, 3, 0x8d, 0x78, 0x06]); // or read from the stack.
    check_unknown(&[0x12, 31, 0x02]); // Below sp.
    check_unknown(&[0x0e, 16, 0x9e, 0]); // The return address at the CFA,
    check_unknown(&[0x0e, 16, 0x11, 30, 0x7f]); // or above.
    check_unknown(&[0x0e, 16, 0x9e, 1, 0x9d, 1]); // Both in one word.
    check_unknown(&[0x09, 30, 5]); // The return address in x5.
    check_unknown(&[0x10, 30, 2, 0x8d, 0]);
    check_unknown(&[0x14, 29, 1]);
    check_unknown(&[0x9f, 2]); // sp is saved,
    check_unknown(&[0x08, 31]); // or unchanged.
    check_unknown(&[0x2c]); // negate_ra_state_with_pc
    check_unknown(&[0x0e, 16, 0x9e, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
}
