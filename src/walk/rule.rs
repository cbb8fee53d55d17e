//! Hot: `Rule`, how to get from a return address to the frame of the caller, on x86_64. Plain data
//! of 29 bits.
//!
//! A rule is a pair of equations. With `rsp` and `rbp` as they are just after the return to the
//! address:
//!
//! ```text
//! CFA = rsp + x   or   rbp + x   or   *(rbp + x)
//! (return address, rsp, rbp) = (*(CFA - 8), CFA, rbp or *(CFA - y) or *rbp)
//! ```
//!
//! CFA, the canonical frame address, is DWARF's word for the stack pointer before the call of the
//! function. The other registers are of no interest: code that finds its frame by one of them has
//! no rule.

/// Bits 0 and 1: the kind. Bits 2 to 11: where the caller's `rbp` is. Bits 12 to 28: the offset of
/// the CFA, in words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule(u32);

/// What a rule says of the function that called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    Frame {
        cfa: Cfa,
        rbp: SavedRbp,
    },
    /// None: this is the outermost function of a thread, and says so.
    Outermost,
    /// There is no rule, or not one of these.
    Unknown,
}

/// Where the canonical frame address is; the offsets are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cfa {
    /// `rsp + x`
    Rsp(usize),
    /// `rbp + x`
    Rbp(usize),
    /// `*(rbp + x)`, in functions that GCC aligns to more than 16 bytes.
    AtRbp(isize),
}

/// Where the caller's `rbp` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SavedRbp {
    /// In `rbp`: the function has not changed it.
    Same,
    /// `*(CFA - y)`, in bytes.
    BelowCfa(usize),
    /// `*rbp`; only together with [`Cfa::AtRbp`].
    AtRbp,
}

impl Rule {
    /// How many bits the word of a rule has.
    pub(crate) const BITS: u32 = 29;
    /// In the kind: CFA = `rbp + x`, not `rsp + x`.
    pub(crate) const KIND_RBP: u32 = 1;
    /// In the kind: anything but the two.
    pub(crate) const KIND_RARE: u32 = 2;
    pub(crate) const RBP_SHIFT: u32 = 2;
    pub(crate) const RBP_MASK: u32 = 1023;
    pub(crate) const OFFSET_SHIFT: u32 = 12;

    const SAVED_AT_RBP: u32 = 1023;
    const OFFSET_LIMIT: usize = 1 << (Self::BITS - Self::OFFSET_SHIFT);

    pub(crate) const OUTERMOST: Self = Self(3 | 1 << Self::OFFSET_SHIFT);
    pub(crate) const UNKNOWN: Self = Self(3 | 2 << Self::OFFSET_SHIFT);

    /// There is a rule, but its numbers do not fit: frames of more than a mebibyte. They are to be
    /// looked up each time.
    pub(crate) const TOO_LARGE: Self = Self(3 | 3 << Self::OFFSET_SHIFT);

    pub(crate) fn of(caller: Caller) -> Self {
        match caller {
            Caller::Frame { cfa, rbp } => Self::new(cfa, rbp),
            Caller::Outermost => Self::OUTERMOST,
            Caller::Unknown => Self::UNKNOWN,
        }
    }

    /// Too large where it does not fit, unknown where it makes no sense.
    pub(crate) fn new(cfa: Cfa, rbp: SavedRbp) -> Self {
        let makes_sense = || {
            let (offset, least) = match cfa {
                Cfa::Rsp(offset) | Cfa::Rbp(offset) => (offset, 8),
                Cfa::AtRbp(offset) => (offset.unsigned_abs(), 0),
            };
            let saved = match rbp {
                SavedRbp::BelowCfa(below) => words(below, 2, LARGEST / 8).is_some(),
                SavedRbp::Same => true,
                SavedRbp::AtRbp => !matches!(cfa, Cfa::Rsp(_) | Cfa::Rbp(8)),
            };
            saved && words(offset, least / 8, LARGEST / 8).is_some()
        };
        match Self::packed(cfa, rbp) {
            Some(rule) => rule,
            None if makes_sense() => Self::TOO_LARGE,
            None => Self::UNKNOWN,
        }
    }

    fn packed(cfa: Cfa, rbp: SavedRbp) -> Option<Self> {
        let (kind, offset) = match cfa {
            Cfa::Rsp(offset) => (0, words(offset, 1, Self::OFFSET_LIMIT)?),
            Cfa::Rbp(offset) => (Self::KIND_RBP, words(offset, 1, Self::OFFSET_LIMIT)?),
            Cfa::AtRbp(offset) => {
                let half = Self::OFFSET_LIMIT / 2;
                let raised = offset.checked_add(8 * half as isize)?;
                (Self::KIND_RARE, words(usize::try_from(raised).ok()?, 0, Self::OFFSET_LIMIT)?)
            }
        };
        let rbp = match (rbp, cfa) {
            (SavedRbp::Same, _) => 0,
            // The word below the CFA is the return address.
            (SavedRbp::BelowCfa(below), _) => words(below, 2, Self::SAVED_AT_RBP as usize)?,
            (SavedRbp::AtRbp, Cfa::AtRbp(_)) => Self::SAVED_AT_RBP,
            // At a known distance from the CFA after all.
            (SavedRbp::AtRbp, Cfa::Rbp(offset)) => words(offset, 2, Self::SAVED_AT_RBP as usize)?,
            (SavedRbp::AtRbp, Cfa::Rsp(_)) => return None,
        };
        Some(Self(offset << Self::OFFSET_SHIFT | rbp << Self::RBP_SHIFT | kind))
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
            0 => Cfa::Rsp(offset),
            Self::KIND_RBP => Cfa::Rbp(offset),
            Self::KIND_RARE => Cfa::AtRbp(offset as isize - 4 * Self::OFFSET_LIMIT as isize),
            _ if self == Self::OUTERMOST => return Caller::Outermost,
            _ => return Caller::Unknown,
        };
        let rbp = match self.0 >> Self::RBP_SHIFT & Self::RBP_MASK {
            0 => SavedRbp::Same,
            Self::SAVED_AT_RBP => SavedRbp::AtRbp,
            words => SavedRbp::BelowCfa(words as usize * 8),
        };
        Caller::Frame { cfa, rbp }
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
    use super::{Caller, Cfa, Rule, SavedRbp};

    #[track_caller]
    fn check(cfa: Cfa, rbp: SavedRbp, expected: Caller) {
        let rule = Rule::new(cfa, rbp);
        assert_eq!(rule.caller(), expected);
        assert_eq!(Rule::from_word(rule.word()), rule);
        assert!(rule.word() != 0 && rule.word() >> Rule::BITS == 0);
    }

    #[test]
    fn a_rule_is_what_it_was_made_of() {
        let offsets = [8, 16, 80, 4096, 8 * ((1 << 17) - 1)];
        let saved = [16, 24, 8 * 1022].map(SavedRbp::BelowCfa);
        for rbp in saved.into_iter().chain([SavedRbp::Same]) {
            for offset in offsets {
                for cfa in [Cfa::Rsp(offset), Cfa::Rbp(offset)] {
                    check(cfa, rbp, Caller::Frame { cfa, rbp });
                }
            }
        }
        for offset in [-8, 0, 8, -8 << 16, (8 << 16) - 8] {
            for rbp in [SavedRbp::AtRbp, SavedRbp::Same, SavedRbp::BelowCfa(32)] {
                let cfa = Cfa::AtRbp(offset);
                check(cfa, rbp, Caller::Frame { cfa, rbp });
            }
        }
    }

    #[test]
    fn a_saved_rbp_at_rbp_is_given_by_the_cfa_where_it_can_be() {
        let (cfa, rbp) = (Cfa::Rbp(16), SavedRbp::BelowCfa(16));
        check(cfa, SavedRbp::AtRbp, Caller::Frame { cfa, rbp });
    }

    #[test]
    fn what_does_not_fit_is_too_large() {
        use SavedRbp::{AtRbp, BelowCfa, Same};
        for (cfa, rbp) in [
            (Cfa::Rsp(8 << 17), Same),
            (Cfa::Rbp(8 << 17), BelowCfa(16)),
            (Cfa::AtRbp(8 << 16), Same),
            (Cfa::AtRbp((-8 << 16) - 8), AtRbp),
            (Cfa::Rsp(16), BelowCfa(8 * 1023)),
        ] {
            assert_eq!(Rule::new(cfa, rbp), Rule::TOO_LARGE);
            assert_eq!(Rule::of(Caller::Frame { cfa, rbp }), Rule::TOO_LARGE);
        }
        assert_eq!(Rule::from_word(Rule::TOO_LARGE.word()), Rule::TOO_LARGE);
    }

    #[test]
    fn what_makes_no_sense_is_unknown() {
        use SavedRbp::{AtRbp, BelowCfa, Same};
        for (cfa, rbp) in [
            (Cfa::Rsp(0), Same),
            (Cfa::Rsp(12), Same),
            (Cfa::Rsp(1 << 30), Same),
            (Cfa::Rbp(usize::MAX), Same),
            (Cfa::AtRbp(isize::MIN), Same),
            (Cfa::AtRbp(isize::MAX), Same),
            (Cfa::AtRbp(4), Same),
            (Cfa::Rsp(16), BelowCfa(8)),
            (Cfa::Rsp(16), BelowCfa(0)),
            (Cfa::Rsp(16), BelowCfa(20)),
            (Cfa::Rsp(16), AtRbp),
            (Cfa::Rbp(8), AtRbp),
        ] {
            check(cfa, rbp, Caller::Unknown);
            assert_eq!(Rule::new(cfa, rbp), Rule::UNKNOWN);
        }
        assert_eq!(Rule::OUTERMOST.caller(), Caller::Outermost);
    }
}
