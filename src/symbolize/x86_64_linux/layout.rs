//! Cold: `Layout`, the words of a stack that unwinds to chosen return addresses. Pure arithmetic
//! over rules: it reads no code and no stack.
//!
//! To an unwinder a frame is its return address, which stands just below the frame of its caller
//! (at CFA - 8). The rule of the address says how far it is to the next CFA, and where the caller's
//! `rbp` was saved. So the words are laid out from the bottom up: put an address below the present
//! CFA, ask its rule for the next CFA, go on there. Where a rule counts from `rbp`, the word from
//! which the unwinder will have got its `rbp` is made to point where it must. The addresses need
//! never have called each other.

use crate::walk::{Caller, Cfa, SavedRbp};

const WORD: usize = 8;
/// Words of zeros at both ends: some unwinders read the saved values of all registers, which may
/// lie somewhat outside of what is laid out.
const MARGIN: usize = 1024;
/// A stack with so many words is full, unless it has but one frame, which may be large.
const ENOUGH: usize = 64 * 1024;
/// In bytes. Of larger ones nothing is asked.
const LARGEST_FRAME: usize = 32 << 20;
/// Words between what was put for one frame and what is put for the next, where the rule leaves the
/// distance open.
const GAP: usize = 2;

/// From where the unwinder has its present `rbp`.
#[derive(Clone, Copy)]
enum Holder {
    Register,
    Word(usize),
    /// It doesn't matter any more: what is there was chosen for a frame further down.
    Chosen,
}

/// All positions are indices of words.
pub(super) struct Layout {
    words: Vec<usize>,
    /// Words that must point at others.
    pointers: Vec<(usize, usize)>,
    /// The present CFA, just above all words.
    cfa: usize,
    rbp: Holder,
    /// What `rbp` must point at in the beginning.
    first_rbp: usize,
    has_ended: bool,
}

/// What a rule asks for.
struct LaidOutFrame {
    next_cfa: usize,
    /// What `rbp` must point at.
    rbp: Option<usize>,
    /// The word that must point at the next CFA.
    link: Option<usize>,
    /// Where the unwinder will find the caller's `rbp`.
    saved_rbp: Option<usize>,
}

impl Layout {
    const FIRST_CFA: usize = MARGIN + 1;

    pub(super) fn new() -> Self {
        Self {
            words: vec![0; Self::FIRST_CFA],
            pointers: Vec::new(),
            cfa: Self::FIRST_CFA,
            rbp: Holder::Register,
            first_rbp: Self::FIRST_CFA,
            has_ended: false,
        }
    }

    /// Adds a frame above those that are there, if it fits. What does not fit on an empty stack
    /// fits on none. `caller` is the rule of the address; with a rule that leads nowhere, it is the
    /// last frame.
    pub(super) fn push(&mut self, return_address: usize, caller: Caller) -> bool {
        if self.has_ended {
            return false;
        }
        if let Caller::Frame { cfa, rbp } = caller {
            let Some(frame) = frame(self.cfa, cfa, rbp) else { return false };
            if frame.next_cfa > ENOUGH && self.cfa != Self::FIRST_CFA {
                return false;
            }
            if let Some(target) = frame.rbp {
                match std::mem::replace(&mut self.rbp, Holder::Chosen) {
                    Holder::Register => self.first_rbp = target,
                    Holder::Word(word) => self.pointers.push((word, target)),
                    Holder::Chosen => return false,
                }
            }
            self.pointers.extend(frame.link.map(|link| (link, frame.next_cfa)));
            if let Some(word) = frame.saved_rbp {
                self.leave_rbp();
                self.rbp = Holder::Word(word);
            }
            self.words[self.cfa - 1] = return_address;
            self.words.resize(frame.next_cfa, 0);
            self.cfa = frame.next_cfa;
        } else {
            self.words[self.cfa - 1] = return_address;
            self.has_ended = true;
        }
        true
    }

    /// No rule has asked for the present `rbp`. It shall point into the stack nevertheless, in case
    /// that an unwinder looks.
    fn leave_rbp(&mut self) {
        if let Holder::Word(word) = self.rbp {
            self.pointers.push((word, Self::FIRST_CFA));
        }
    }

    /// The stack as it is; an unwinder that gets to its end finds no return address there.
    pub(super) fn finish(mut self) -> Memory {
        self.leave_rbp();
        let mut words = self.words;
        words.resize(self.cfa + MARGIN, 0);
        let start = words.as_ptr() as usize;
        let address = |word: usize| start + WORD * word;
        for (word, target) in self.pointers {
            words[word] = address(target);
        }
        Memory { cfa: address(Self::FIRST_CFA), rbp: address(self.first_rbp), _words: words }
    }
}

/// What the rule of a frame asks for, if its caller is to be found above `bottom`; `None` if two
/// words of it would be the same.
fn frame(bottom: usize, cfa: Cfa, rbp: SavedRbp) -> Option<LaidOutFrame> {
    let below_cfa = match rbp {
        SavedRbp::BelowCfa(bytes) => Some(whole_words(bytes).filter(|&words| words >= 2)?),
        SavedRbp::Same | SavedRbp::AtRbp => None,
    };
    let (next_cfa, base, link) = match cfa {
        Cfa::Rsp(bytes) => (bottom + whole_words(bytes)?, None, None),
        Cfa::Rbp(bytes) => {
            let words = whole_words(bytes)?;
            let next_cfa = bottom + GAP + words.max(below_cfa.unwrap_or(0));
            (next_cfa, Some(next_cfa - words), None)
        }
        Cfa::AtRbp(bytes) => {
            let reach = whole_words(bytes.unsigned_abs())?;
            let base = bottom + GAP + reach;
            let link = if bytes < 0 { base - reach } else { base + reach };
            (base + reach + GAP + below_cfa.unwrap_or(0), Some(base), Some(link))
        }
    };
    let saved_rbp = match (below_cfa, rbp, cfa) {
        (Some(words), ..) => Some(next_cfa - words),
        (None, SavedRbp::AtRbp, Cfa::AtRbp(_)) => base,
        (None, SavedRbp::AtRbp, _) => return None,
        (None, ..) => None,
    };
    // The word just below the next CFA is for the return address.
    let own = bottom..next_cfa - 1;
    let is_own = |word: usize| own.contains(&word);
    let is_sound = next_cfa > bottom
        && link.map_or(true, is_own)
        && saved_rbp.map_or(true, is_own)
        && (link.is_none() || link != saved_rbp);
    is_sound.then_some(LaidOutFrame { next_cfa, rbp: base, link, saved_rbp })
}

fn whole_words(bytes: usize) -> Option<usize> {
    (bytes % WORD == 0 && bytes <= LARGEST_FRAME).then_some(bytes / WORD)
}

/// A stack to be unwound, and the registers to begin with.
pub(super) struct Memory {
    pub(super) cfa: usize,
    pub(super) rbp: usize,
    /// Stay where they are for as long as this lives.
    _words: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::{Layout, Memory, ENOUGH, LARGEST_FRAME};
    use crate::walk::{Caller, Cfa, SavedRbp};

    fn frame(cfa: Cfa, rbp: SavedRbp) -> Caller {
        Caller::Frame { cfa, rbp }
    }

    /// Unwinds as the equations of `walk::Rule` say. Every word that is read must be one of the
    /// memory's own.
    fn unwind(memory: &Memory, rules: &[(usize, Caller)]) -> Vec<usize> {
        let start = memory._words.as_ptr() as usize;
        let read = |address: usize| {
            assert!(address >= start && address % 8 == 0, "outside of the memory");
            memory._words[(address - start) / 8]
        };
        let (mut found, mut rsp, mut rbp) = (Vec::new(), memory.cfa, memory.rbp);
        loop {
            let return_address = read(rsp - 8);
            let rule = rules.iter().find(|(address, _)| *address == return_address);
            let Some(&(address, caller)) = rule else { break };
            found.push(address);
            let Caller::Frame { cfa, rbp: saved } = caller else { break };
            let cfa = match cfa {
                Cfa::Rsp(bytes) => rsp + bytes,
                Cfa::Rbp(bytes) => rbp + bytes,
                Cfa::AtRbp(bytes) => read(rbp.checked_add_signed(bytes).unwrap()),
            };
            assert!(cfa > rsp, "outwards");
            rbp = match saved {
                SavedRbp::Same => rbp,
                SavedRbp::BelowCfa(bytes) => read(cfa - bytes),
                SavedRbp::AtRbp => read(rbp),
            };
            assert!(rbp >= start && rbp < start + 8 * memory._words.len(), "rbp in the memory");
            rsp = cfa;
        }
        found
    }

    /// Lays out the rules with addresses from 100 on; as many as fit on one stack must be found
    /// there.
    #[track_caller]
    fn check(callers: &[Caller], fit: usize) {
        let rules: Vec<_> = (100..).zip(callers.iter().copied()).collect();
        let mut layout = Layout::new();
        let pushed = rules.iter().take_while(|&&(address, caller)| layout.push(address, caller));
        assert_eq!(pushed.count(), fit);
        let expected: Vec<_> = (100..).take(fit).collect();
        assert_eq!(unwind(&layout.finish(), &rules), expected);
    }

    const USUAL: [Caller; 3] = [
        Caller::Frame { cfa: Cfa::Rsp(8), rbp: SavedRbp::Same },
        Caller::Frame { cfa: Cfa::Rsp(64), rbp: SavedRbp::BelowCfa(16) },
        Caller::Frame { cfa: Cfa::Rbp(16), rbp: SavedRbp::BelowCfa(16) },
    ];

    #[test]
    fn frames_of_the_usual_rules_follow_each_other_in_any_order() {
        for a in USUAL {
            for b in USUAL {
                for c in USUAL {
                    check(&[a, b, c, a, a, b, b, c, c, a], 10);
                }
            }
        }
        check(&[], 0);
    }

    #[test]
    fn rbp_may_be_saved_anywhere_in_the_frame() {
        for bytes in [16, 24, 56, 8000] {
            let [plain, _, by_rbp] = USUAL;
            let at_rsp = frame(Cfa::Rsp(8000), SavedRbp::BelowCfa(bytes));
            let at_rbp = frame(Cfa::Rbp(24), SavedRbp::BelowCfa(bytes));
            check(&[at_rsp, by_rbp, at_rbp, plain, at_rbp, at_rsp, plain, by_rbp], 8);
        }
    }

    #[test]
    fn realigned_frames_are_laid_out() {
        let [plain, saves, by_rbp] = USUAL;
        for bytes in [-8, -16, -800, 8, 48] {
            let gcc = frame(Cfa::AtRbp(bytes), SavedRbp::AtRbp);
            check(&[gcc, gcc, plain, gcc, by_rbp, saves, gcc, saves], 8);
            let below = frame(Cfa::AtRbp(bytes), SavedRbp::BelowCfa(16));
            check(&[below, below, plain, gcc, by_rbp, below], 6);
        }
        // A frame that begins where `rbp` points, but for what is saved there.
        check(&[frame(Cfa::AtRbp(0), SavedRbp::BelowCfa(16)), by_rbp], 2);
        check(&[frame(Cfa::AtRbp(0), SavedRbp::AtRbp)], 0);
    }

    #[test]
    fn one_rbp_is_good_for_one_frame() {
        let [plain, saves, by_rbp] = USUAL;
        let keeps = frame(Cfa::Rbp(16), SavedRbp::Same);
        check(&[keeps, plain, saves, by_rbp], 4);
        check(&[keeps, plain, by_rbp], 2);
        check(&[keeps, keeps], 1);
    }

    #[test]
    fn a_frame_that_leads_nowhere_is_the_last() {
        for last in [Caller::Outermost, Caller::Unknown] {
            check(&[USUAL[0], last, USUAL[0]], 2);
            check(&[last, last], 1);
        }
    }

    #[test]
    fn impossible_rules_are_refused() {
        for (cfa, rbp) in [
            (Cfa::Rsp(0), SavedRbp::Same),
            (Cfa::Rsp(12), SavedRbp::Same),
            (Cfa::Rsp(LARGEST_FRAME + 8), SavedRbp::Same),
            (Cfa::Rsp(16), SavedRbp::AtRbp),
            (Cfa::Rsp(16), SavedRbp::BelowCfa(0)),
            (Cfa::Rsp(16), SavedRbp::BelowCfa(8)),
            (Cfa::Rsp(16), SavedRbp::BelowCfa(24)),
            (Cfa::Rsp(32), SavedRbp::BelowCfa(20)),
            (Cfa::Rbp(12), SavedRbp::Same),
            (Cfa::Rbp(8), SavedRbp::AtRbp),
            (Cfa::AtRbp(4), SavedRbp::Same),
        ] {
            check(&[frame(cfa, rbp)], 0);
        }
    }

    #[test]
    fn a_stack_does_not_grow_without_limit() {
        let large = frame(Cfa::Rsp(ENOUGH / 3 * 8), SavedRbp::Same);
        check(&[large; 4], 2);
        check(&[frame(Cfa::Rsp(ENOUGH * 16), SavedRbp::Same), USUAL[0]], 1);
        let small: Vec<_> = USUAL.into_iter().cycle().take(3000).collect();
        check(&small, 3000);
    }
}
