//! Hot: `Rule`, a [`Caller`] of x86_64 in 29 bits. Plain data.

use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};

/// Bits 0 and 1: the kind. Bits 2 to 11: where the caller's `rbp` is. Bits 12 to 28: the offset of
/// the CFA, in words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule(u32);

impl Rule {
    /// How many bits the word of a rule has.
    pub(crate) const BITS: u32 = 29;
    /// In the kind: CFA = `rbp + x`, not `rsp + x`.
    pub(crate) const KIND_FP: u32 = 1;
    /// In the kind: anything but the two.
    pub(crate) const KIND_RARE: u32 = 2;
    pub(crate) const FP_SHIFT: u32 = 2;
    pub(crate) const FP_MASK: u32 = 1023;
    pub(crate) const OFFSET_SHIFT: u32 = 12;

    const SAVED_AT_FP: u32 = 1023;
    const OFFSET_LIMIT: usize = 1 << (Self::BITS - Self::OFFSET_SHIFT);

    pub(crate) const OUTERMOST: Self = Self(3 | 1 << Self::OFFSET_SHIFT);
    pub(crate) const UNKNOWN: Self = Self(3 | 2 << Self::OFFSET_SHIFT);

    /// There is a rule, but its numbers do not fit: frames of more than a mebibyte. They are to be
    /// looked up each time.
    pub(crate) const TOO_LARGE: Self = Self(3 | 3 << Self::OFFSET_SHIFT);

    pub(crate) fn of(caller: Caller) -> Self {
        match caller {
            Caller::Frame { cfa, fp, return_address: ReturnAddress::ON_TOP } => Self::new(cfa, fp),
            Caller::Frame { .. } => Self::UNKNOWN,
            Caller::Outermost => Self::OUTERMOST,
            Caller::Unknown => Self::UNKNOWN,
        }
    }

    /// Too large where it does not fit, unknown where it makes no sense.
    pub(crate) fn new(cfa: Cfa, fp: SavedFp) -> Self {
        let makes_sense = || {
            let (offset, least) = match cfa {
                Cfa::Sp(offset) | Cfa::Fp(offset) => (offset, 8),
                Cfa::AtFp(offset) => (offset.unsigned_abs(), 0),
            };
            let saved = match fp {
                SavedFp::BelowCfa(below) => words(below, 2, LARGEST / 8).is_some(),
                SavedFp::Same => true,
                SavedFp::AtFp => !matches!(cfa, Cfa::Sp(_) | Cfa::Fp(8)),
            };
            saved && words(offset, least / 8, LARGEST / 8).is_some()
        };
        match Self::packed(cfa, fp) {
            Some(rule) => rule,
            None if makes_sense() => Self::TOO_LARGE,
            None => Self::UNKNOWN,
        }
    }

    fn packed(cfa: Cfa, fp: SavedFp) -> Option<Self> {
        let (kind, offset) = match cfa {
            Cfa::Sp(offset) => (0, words(offset, 1, Self::OFFSET_LIMIT)?),
            Cfa::Fp(offset) => (Self::KIND_FP, words(offset, 1, Self::OFFSET_LIMIT)?),
            Cfa::AtFp(offset) => {
                let half = Self::OFFSET_LIMIT / 2;
                let raised = offset.checked_add(8 * half as isize)?;
                (Self::KIND_RARE, words(usize::try_from(raised).ok()?, 0, Self::OFFSET_LIMIT)?)
            }
        };
        let fp = match (fp, cfa) {
            (SavedFp::Same, _) => 0,
            // The word below the CFA is the return address.
            (SavedFp::BelowCfa(below), _) => words(below, 2, Self::SAVED_AT_FP as usize)?,
            (SavedFp::AtFp, Cfa::AtFp(_)) => Self::SAVED_AT_FP,
            // At a known distance from the CFA after all.
            (SavedFp::AtFp, Cfa::Fp(offset)) => words(offset, 2, Self::SAVED_AT_FP as usize)?,
            (SavedFp::AtFp, Cfa::Sp(_)) => return None,
        };
        Some(Self(offset << Self::OFFSET_SHIFT | fp << Self::FP_SHIFT | kind))
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
            Self::KIND_RARE => Cfa::AtFp(offset as isize - 4 * Self::OFFSET_LIMIT as isize),
            _ if self == Self::OUTERMOST => return Caller::Outermost,
            _ => return Caller::Unknown,
        };
        let fp = match self.0 >> Self::FP_SHIFT & Self::FP_MASK {
            0 => SavedFp::Same,
            Self::SAVED_AT_FP => SavedFp::AtFp,
            words => SavedFp::BelowCfa(words as usize * 8),
        };
        Caller::frame(cfa, fp)
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.caller().fmt(f)
    }
}

/// No stack has a frame of so many bytes.
const LARGEST: usize = 1 << 30;

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
    use super::{Caller, Cfa, Rule, SavedFp};

    #[track_caller]
    fn check(cfa: Cfa, fp: SavedFp, expected: Caller) {
        let rule = Rule::new(cfa, fp);
        assert_eq!(rule.caller(), expected);
        assert_eq!(Rule::from_word(rule.word()), rule);
        assert!(rule.word() != 0 && rule.word() >> Rule::BITS == 0);
    }

    #[test]
    fn a_rule_is_what_it_was_made_of() {
        let offsets = [8, 16, 80, 4096, 8 * ((1 << 17) - 1)];
        let saved = [16, 24, 8 * 1022].map(SavedFp::BelowCfa);
        for fp in saved.into_iter().chain([SavedFp::Same]) {
            for offset in offsets {
                for cfa in [Cfa::Sp(offset), Cfa::Fp(offset)] {
                    check(cfa, fp, Caller::frame(cfa, fp));
                }
            }
        }
        for offset in [-8, 0, 8, -8 << 16, (8 << 16) - 8] {
            for fp in [SavedFp::AtFp, SavedFp::Same, SavedFp::BelowCfa(32)] {
                let cfa = Cfa::AtFp(offset);
                check(cfa, fp, Caller::frame(cfa, fp));
            }
        }
    }

    #[test]
    fn a_saved_rbp_at_rbp_is_given_by_the_cfa_where_it_can_be() {
        let (cfa, fp) = (Cfa::Fp(16), SavedFp::BelowCfa(16));
        check(cfa, SavedFp::AtFp, Caller::frame(cfa, fp));
    }

    #[test]
    fn what_does_not_fit_is_too_large() {
        use SavedFp::{AtFp, BelowCfa, Same};
        for (cfa, fp) in [
            (Cfa::Sp(8 << 17), Same),
            (Cfa::Fp(8 << 17), BelowCfa(16)),
            (Cfa::AtFp(8 << 16), Same),
            (Cfa::AtFp((-8 << 16) - 8), AtFp),
            (Cfa::Sp(16), BelowCfa(8 * 1023)),
        ] {
            assert_eq!(Rule::new(cfa, fp), Rule::TOO_LARGE);
            assert_eq!(Rule::of(Caller::frame(cfa, fp)), Rule::TOO_LARGE);
        }
        assert_eq!(Rule::from_word(Rule::TOO_LARGE.word()), Rule::TOO_LARGE);
    }

    #[test]
    fn what_makes_no_sense_is_unknown() {
        use SavedFp::{AtFp, BelowCfa, Same};
        for (cfa, fp) in [
            (Cfa::Sp(0), Same),
            (Cfa::Sp(12), Same),
            (Cfa::Sp(1 << 30), Same),
            (Cfa::Fp(usize::MAX), Same),
            (Cfa::AtFp(isize::MIN), Same),
            (Cfa::AtFp(isize::MAX), Same),
            (Cfa::AtFp(4), Same),
            (Cfa::Sp(16), BelowCfa(8)),
            (Cfa::Sp(16), BelowCfa(0)),
            (Cfa::Sp(16), BelowCfa(20)),
            (Cfa::Sp(16), AtFp),
            (Cfa::Fp(8), AtFp),
        ] {
            check(cfa, fp, Caller::Unknown);
            assert_eq!(Rule::new(cfa, fp), Rule::UNKNOWN);
        }
        assert_eq!(Rule::OUTERMOST.caller(), Caller::Outermost);
    }
}
