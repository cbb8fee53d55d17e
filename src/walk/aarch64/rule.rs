//! Hot: `Rule`, a [`Caller`] of aarch64 in 30 bits. Plain data.
//!
//! Compilers put a *frame record* into each frame: the caller's `x29`, and above it the return
//! address. It stands anywhere, and often at the bottom of the frame, however large that is. So a
//! rule holds where the return address is, and `x29` is beside it.

use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};

/// - Bits 0 and 1: the kind.
/// - Bit 2: the return address is signed.
/// - Bits 3 and 4: where the caller's `x29` is.
/// - Bits 5 to 14: the distance of the return address below the CFA, in words. 0 where the record
///   is at the bottom of the frame.
/// - Bits 15 to 29: the offset of the CFA, in words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule(u32);

impl Rule {
    /// How many bits the word of a rule has.
    pub(crate) const BITS: u32 = 30;
    /// In the kind: CFA = `x29 + x`, not `sp + x`.
    pub(crate) const KIND_FP: u32 = 1;
    /// In the kind: anything but the two.
    pub(crate) const KIND_RARE: u32 = 2;
    pub(crate) const FP_SHIFT: u32 = 3;
    pub(crate) const FP_MASK: u32 = 3;
    pub(crate) const CALL_SHIFT: u32 = 5;
    pub(crate) const CALL_MASK: u32 = 1023;
    pub(crate) const OFFSET_SHIFT: u32 = 15;

    const SIGNED: u32 = 1 << 2;
    const FP_SAME: u32 = 0;
    /// In the word below that of the return address.
    const FP_BELOW_CALL: u32 = 1;
    /// In the word above it.
    const FP_ABOVE_CALL: u32 = 2;
    /// In the lowest word of the frame, and the return address in the one above.
    pub(crate) const RECORD_AT_BOTTOM: u32 = 3;
    const OFFSET_LIMIT: usize = 1 << (Self::BITS - Self::OFFSET_SHIFT);

    pub(crate) const OUTERMOST: Self = Self(3 | 1 << Self::OFFSET_SHIFT);
    pub(crate) const UNKNOWN: Self = Self(3 | 2 << Self::OFFSET_SHIFT);

    /// There is a rule, but its numbers do not fit: frames of more than 256 KiB, and rare ones.
    /// They are to be looked up each time.
    pub(crate) const TOO_LARGE: Self = Self(3 | 3 << Self::OFFSET_SHIFT);

    /// Too large where it does not fit, unknown where it makes no sense.
    pub(crate) fn of(caller: Caller) -> Self {
        let (cfa, fp, call) = match caller {
            Caller::Frame { cfa, fp, return_address } => (cfa, fp, return_address),
            Caller::Outermost => return Self::OUTERMOST,
            Caller::Unknown => return Self::UNKNOWN,
        };
        if !makes_sense(cfa, fp, call) {
            return Self::UNKNOWN;
        }
        Self::packed(cfa, fp, call).unwrap_or(Self::TOO_LARGE)
    }

    fn packed(cfa: Cfa, fp: SavedFp, call: ReturnAddress) -> Option<Self> {
        let (kind, offset) = match cfa {
            Cfa::Sp(offset) => (0, offset),
            Cfa::Fp(offset) => (Self::KIND_FP, offset),
            Cfa::AtFp(_) => return None,
        };
        let offset_word = words(offset, 0, Self::OFFSET_LIMIT)? << Self::OFFSET_SHIFT;
        let (signed, below) = match call {
            ReturnAddress::BelowCfa(below) => (0, below),
            ReturnAddress::SignedBelowCfa(below) => (Self::SIGNED, below),
            ReturnAddress::InRegister if kind == 0 && fp == SavedFp::Same => {
                return Some(Self(Self::KIND_RARE | offset_word));
            }
            ReturnAddress::InRegister => return None,
        };
        let fp = match fp {
            SavedFp::Same => Self::FP_SAME,
            SavedFp::BelowCfa(fp) if fp == offset && fp == below.wrapping_add(8) => {
                let record = Self::RECORD_AT_BOTTOM << Self::FP_SHIFT;
                return Some(Self(offset_word | record | signed | kind));
            }
            SavedFp::BelowCfa(fp) if fp == below.wrapping_add(8) => Self::FP_BELOW_CALL,
            SavedFp::BelowCfa(fp) if fp == below.wrapping_sub(8) => Self::FP_ABOVE_CALL,
            SavedFp::BelowCfa(_) | SavedFp::AtFp => return None,
        };
        let below = words(below, 1, Self::CALL_MASK as usize + 1)? << Self::CALL_SHIFT;
        Some(Self(offset_word | below | fp << Self::FP_SHIFT | signed | kind))
    }

    /// Of a word that [`word`](Self::word) gave.
    pub(crate) const fn from_word(word: u32) -> Self {
        Self(word)
    }

    /// Never 0.
    pub(crate) const fn word(self) -> u32 {
        self.0
    }

    pub(crate) fn caller(self) -> Caller {
        let offset = (self.0 >> Self::OFFSET_SHIFT) as usize * 8;
        let cfa = match self.0 & 3 {
            0 => Cfa::Sp(offset),
            Self::KIND_FP => Cfa::Fp(offset),
            Self::KIND_RARE => {
                let (cfa, return_address) = (Cfa::Sp(offset), ReturnAddress::InRegister);
                return Caller::Frame { cfa, fp: SavedFp::Same, return_address };
            }
            _ if self == Self::OUTERMOST => return Caller::Outermost,
            _ => return Caller::Unknown,
        };
        let below = (self.0 >> Self::CALL_SHIFT & Self::CALL_MASK) as usize * 8;
        let (below, fp) = match self.0 >> Self::FP_SHIFT & Self::FP_MASK {
            Self::FP_SAME => (below, SavedFp::Same),
            Self::FP_BELOW_CALL => (below, SavedFp::BelowCfa(below.wrapping_add(8))),
            Self::FP_ABOVE_CALL => (below, SavedFp::BelowCfa(below.wrapping_sub(8))),
            _ => (offset.wrapping_sub(8), SavedFp::BelowCfa(offset)),
        };
        let is_signed = self.0 & Self::SIGNED != 0;
        let return_address = match is_signed {
            true => ReturnAddress::SignedBelowCfa(below),
            false => ReturnAddress::BelowCfa(below),
        };
        Caller::Frame { cfa, fp, return_address }
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.caller().fmt(f)
    }
}

/// No stack has a frame of so many bytes.
const LARGEST: usize = 1 << 30;

fn makes_sense(cfa: Cfa, fp: SavedFp, call: ReturnAddress) -> bool {
    let is_saved = |below: usize| words(below, 1, LARGEST / 8).is_some();
    let offset = match cfa {
        Cfa::Sp(offset) | Cfa::Fp(offset) => offset,
        Cfa::AtFp(_) => return false,
    };
    let call_below = match call {
        ReturnAddress::BelowCfa(below) | ReturnAddress::SignedBelowCfa(below) => Some(below),
        ReturnAddress::InRegister => None,
    };
    let fp_below = match fp {
        SavedFp::BelowCfa(below) => Some(below),
        SavedFp::Same => None,
        SavedFp::AtFp => return false,
    };
    // What saves a register has a frame.
    let has_frame = offset > 0 || call_below.is_none() && fp_below.is_none();
    words(offset, 0, LARGEST / 8).is_some()
        && has_frame
        && call_below.map_or(true, is_saved)
        && fp_below.map_or(true, is_saved)
        && (call_below.is_none() || call_below != fp_below)
}

/// A number of bytes as whole words, if it is in the range.
fn words(bytes: usize, least: usize, limit: usize) -> Option<u32> {
    let words = bytes / 8;
    if bytes % 8 != 0 || words < least || words >= limit {
        return None;
    }
    Some(words as u32)
}

#[cfg(test)]
mod tests {
    use super::{Caller, Cfa, ReturnAddress, Rule, SavedFp};
    use ReturnAddress::{InRegister, SignedBelowCfa};
    use SavedFp::{AtFp, Same};

    fn frame(cfa: Cfa, fp: SavedFp, return_address: ReturnAddress) -> Caller {
        Caller::Frame { cfa, fp, return_address }
    }

    /// Each rule, with and without a signature.
    fn check_each(cfa: Cfa, fp: SavedFp, below: usize, expected: impl Fn(Caller) -> Rule) {
        for call in [ReturnAddress::BelowCfa(below), SignedBelowCfa(below)] {
            let caller = frame(cfa, fp, call);
            assert_eq!(Rule::of(caller), expected(caller), "{caller:?}");
        }
    }

    #[track_caller]
    fn check(caller: Caller) {
        let rule = Rule::of(caller);
        assert_eq!(rule.caller(), caller);
        assert_eq!(Rule::from_word(rule.word()), rule);
        assert!(rule.word() != 0 && rule.word() >> Rule::BITS == 0);
    }

    #[test]
    fn a_rule_is_what_it_was_made_of() {
        for offset in [16, 32, 4096, 8 * ((1 << 15) - 2)] {
            for cfa in [Cfa::Sp(offset), Cfa::Fp(offset)] {
                for below in [8, 16, 88, 8 * 1023] {
                    let saved = [below + 8, below - 8].map(SavedFp::BelowCfa);
                    for fp in saved.into_iter().chain([Same]) {
                        if fp == SavedFp::BelowCfa(0) {
                            continue;
                        }
                        check(frame(cfa, fp, ReturnAddress::BelowCfa(below)));
                        check(frame(cfa, fp, SignedBelowCfa(below)));
                    }
                }
                // As GCC has it: the record at the bottom, however far that is.
                let fp = SavedFp::BelowCfa(offset);
                check(frame(cfa, fp, ReturnAddress::BelowCfa(offset - 8)));
                check(frame(cfa, fp, SignedBelowCfa(offset - 8)));
            }
        }
        // `x29` somewhere in the frame.
        check(frame(Cfa::Fp(88), SavedFp::BelowCfa(96), ReturnAddress::BelowCfa(88)));
        for offset in [0, 16, 8 * ((1 << 15) - 2)] {
            check(frame(Cfa::Sp(offset), Same, InRegister));
        }
    }

    #[test]
    fn what_does_not_fit_is_too_large() {
        let too_large = |_| Rule::TOO_LARGE;
        check_each(Cfa::Sp(8 << 15), Same, 8, too_large);
        check_each(Cfa::Sp(1 << 20), SavedFp::BelowCfa(1 << 20), (1 << 20) - 8, too_large);
        check_each(Cfa::Sp(32), Same, 8 << 10, too_large);
        check_each(Cfa::Sp(32), SavedFp::BelowCfa(32), 8, too_large);
        let fp = frame(Cfa::Fp(32), Same, InRegister);
        assert_eq!(Rule::of(fp), Rule::TOO_LARGE);
        assert_eq!(Rule::from_word(Rule::TOO_LARGE.word()), Rule::TOO_LARGE);
    }

    #[test]
    fn what_makes_no_sense_is_unknown() {
        let unknown = |_| Rule::UNKNOWN;
        check_each(Cfa::Sp(0), Same, 8, unknown);
        check_each(Cfa::Sp(12), Same, 8, unknown);
        check_each(Cfa::Fp(12), Same, 8, unknown);
        check_each(Cfa::Sp(1 << 30), Same, 8, unknown);
        check_each(Cfa::Fp(usize::MAX), Same, 8, unknown);
        check_each(Cfa::Sp(32), Same, 0, unknown);
        check_each(Cfa::Sp(32), Same, 12, unknown);
        check_each(Cfa::Sp(32), Same, usize::MAX - 7, unknown);
        check_each(Cfa::Sp(32), SavedFp::BelowCfa(8), 8, unknown);
        check_each(Cfa::Sp(32), SavedFp::BelowCfa(0), 8, unknown);
        check_each(Cfa::Sp(32), AtFp, 8, unknown);
        check_each(Cfa::AtFp(-8), Same, 8, unknown);
        assert_eq!(Rule::UNKNOWN.caller(), Caller::Unknown);
        assert_eq!(Rule::OUTERMOST.caller(), Caller::Outermost);
    }
}
