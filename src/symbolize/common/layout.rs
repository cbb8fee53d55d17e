//! Cold: `Layout`, the words of a stack that unwinds to chosen return addresses. Pure arithmetic
//! over rules: it reads no code and no stack.
//!
//! To an unwinder a frame is its return address, which stands where the rule of the frame below
//! says (on x86_64, just below the CFA). The rule of the address says how far it is to the next
//! CFA, and where the next return address and the caller's `fp` were saved. So the words are laid
//! out from the bottom up: put an address into the present word for it, ask its rule for the next
//! CFA, go on there. Where a rule counts from `fp`, the word from which the unwinder will have got
//! its `fp` is made to point where it must. The addresses need never have called each other.

use crate::walk::{Caller, Cfa, ReturnAddress, SavedFp};

const WORD: usize = 8;
/// Words of zeros at both ends: some unwinders read the saved values of all registers, which may
/// lie somewhat outside of what is laid out (by Apple's tables, 2,040 bytes at the most).
const MARGIN: usize = 1024;
/// A stack with so many words is full, unless it has but one frame, which may be large.
const ENOUGH: usize = 64 * 1024;
/// In bytes. Of larger ones nothing is asked.
const LARGEST_FRAME: usize = 32 << 20;
/// Words between what was put for one frame and what is put for the next, where the rule leaves the
/// distance open.
const GAP: usize = 2;

/// From where the unwinder has its present `fp`.
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
    /// Return addresses that must be signed, and the CFA of each.
    signed: Vec<(usize, usize)>,
    /// The present CFA, just above all words.
    cfa: usize,
    /// Where the next return address goes.
    call: usize,
    fp: Holder,
    /// What `fp` must point at in the beginning.
    first_fp: usize,
    has_ended: bool,
}

/// What a rule asks for.
struct LaidOutFrame {
    next_cfa: usize,
    /// Where the unwinder will find the next return address, and whether it expects a signature.
    call: usize,
    is_signed: bool,
    /// What `fp` must point at.
    fp: Option<usize>,
    /// The word that must point at the next CFA.
    link: Option<usize>,
    /// Where the unwinder will find the caller's `fp`.
    saved_fp: Option<usize>,
}

impl Layout {
    const FIRST_CFA: usize = MARGIN + 1;

    pub(super) fn new() -> Self {
        Self {
            words: vec![0; Self::FIRST_CFA],
            pointers: Vec::new(),
            signed: Vec::new(),
            cfa: Self::FIRST_CFA,
            call: Self::FIRST_CFA - 1,
            fp: Holder::Register,
            first_fp: Self::FIRST_CFA,
            has_ended: false,
        }
    }

    /// Adds a frame above those that are there, if it fits. What does not fit on an empty stack
    /// fits on none. `caller` is the rule of the address; with a rule that leads nowhere, it is the
    /// last frame.
    pub(super) fn push(
        &mut self,
        return_address: usize,
        caller: Caller,
        size: Option<usize>,
    ) -> bool {
        if self.has_ended {
            return false;
        }
        if let Caller::Frame { cfa, fp, return_address: call } = caller {
            let Some(frame) = frame(self.cfa, cfa, fp, call, size) else { return false };
            if frame.next_cfa > ENOUGH && self.cfa != Self::FIRST_CFA {
                return false;
            }
            if let Some(target) = frame.fp {
                match std::mem::replace(&mut self.fp, Holder::Chosen) {
                    Holder::Register => self.first_fp = target,
                    Holder::Word(word) => self.pointers.push((word, target)),
                    Holder::Chosen => return false,
                }
            }
            self.pointers.extend(frame.link.map(|link| (link, frame.next_cfa)));
            if let Some(word) = frame.saved_fp {
                self.leave_fp();
                self.fp = Holder::Word(word);
            }
            self.words[self.call] = return_address;
            self.words.resize(frame.next_cfa, 0);
            self.cfa = frame.next_cfa;
            self.call = frame.call;
            if frame.is_signed {
                self.signed.push((frame.call, frame.next_cfa));
            }
        } else {
            self.words[self.call] = return_address;
            self.has_ended = true;
        }
        true
    }

    /// No rule has asked for the present `fp`. It shall point into the stack nevertheless, in case
    /// that an unwinder looks.
    fn leave_fp(&mut self) {
        if let Holder::Word(word) = self.fp {
            self.pointers.push((word, Self::FIRST_CFA));
        }
    }

    /// The stack as it is; an unwinder that gets to its end finds no return address there.
    /// `sign` gives the signed form of a return address and its CFA.
    pub(super) fn finish(mut self, sign: impl Fn(usize, usize) -> usize) -> Memory {
        self.leave_fp();
        let mut words = self.words;
        words.resize(self.cfa + MARGIN, 0);
        let start = words.as_ptr() as usize;
        let address = |word: usize| start + WORD * word;
        for (word, target) in self.pointers {
            words[word] = address(target);
        }
        // With the first return address, a frame record, for who finds its caller by that.
        words[Self::FIRST_CFA - 2] = address(self.first_fp);
        for (word, cfa) in self.signed {
            words[word] = sign(words[word], address(cfa));
        }
        Memory { cfa: address(Self::FIRST_CFA), fp: address(self.first_fp), _words: words }
    }
}

/// What the rule of a frame asks for, if its caller is to be found above `bottom`; `None` if two
/// words of it would be the same.
fn frame(
    bottom: usize,
    cfa: Cfa,
    fp: SavedFp,
    call: ReturnAddress,
    size: Option<usize>,
) -> Option<LaidOutFrame> {
    let (bytes, is_signed) = match call {
        ReturnAddress::BelowCfa(bytes) => (bytes, false),
        ReturnAddress::SignedBelowCfa(bytes) => (bytes, true),
        // No address that a call returns to: the function has not called.
        ReturnAddress::InRegister => return None,
    };
    let call_below = whole_words(bytes).filter(|&words| words >= 1)?;
    let fp_below = match fp {
        SavedFp::BelowCfa(bytes) => Some(whole_words(bytes).filter(|&words| words >= 1)?),
        SavedFp::Same | SavedFp::AtFp => None,
    };
    let deepest = call_below.max(fp_below.unwrap_or(0));
    let (next_cfa, base, link) = match cfa {
        Cfa::Sp(bytes) => (bottom + whole_words(bytes)?, None, None),
        Cfa::Fp(bytes) => {
            let words = whole_words(bytes)?;
            let least = words.max(deepest);
            let next_cfa = match size {
                Some(size) => bottom + whole_words(size).filter(|&size| size >= least)?,
                None => bottom + GAP + least,
            };
            (next_cfa, Some(next_cfa - words), None)
        }
        Cfa::AtFp(bytes) => {
            let reach = whole_words(bytes.unsigned_abs())?;
            let base = bottom + GAP + reach;
            let link = if bytes < 0 { base - reach } else { base + reach };
            (base + reach + GAP + deepest, Some(base), Some(link))
        }
    };
    let saved_fp = match (fp_below, fp, cfa) {
        (Some(words), ..) => Some(next_cfa.checked_sub(words)?),
        (None, SavedFp::AtFp, Cfa::AtFp(_)) => base,
        (None, SavedFp::AtFp, _) => return None,
        (None, ..) => None,
    };
    let call = next_cfa.checked_sub(call_below)?;
    let own = bottom..next_cfa;
    let words = [Some(call), saved_fp, link];
    let is_sound = words.iter().flatten().all(|word| own.contains(word))
        && saved_fp != Some(call)
        && link != Some(call)
        && (link.is_none() || link != saved_fp);
    is_sound.then_some(LaidOutFrame { next_cfa, call, is_signed, fp: base, link, saved_fp })
}

fn whole_words(bytes: usize) -> Option<usize> {
    (bytes % WORD == 0 && bytes <= LARGEST_FRAME).then_some(bytes / WORD)
}

/// A stack to be unwound, and the registers to begin with.
pub(super) struct Memory {
    pub(super) cfa: usize,
    pub(super) fp: usize,
    /// Stay where they are for as long as this lives.
    pub(super) _words: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::{Layout, Memory, ENOUGH, LARGEST_FRAME};
    use crate::walk::{Caller, Cfa, ReturnAddress, SavedFp};

    fn frame(cfa: Cfa, fp: SavedFp) -> Caller {
        Caller::frame(cfa, fp)
    }

    /// A signature that is taken off by another.
    fn sign(address: usize, cfa: usize) -> usize {
        address ^ cfa << 20
    }

    /// Unwinds as the equations of `walk::Rule` say. Every word that is read must be one of the
    /// memory's own.
    fn unwind(memory: &Memory, rules: &[(usize, Caller)]) -> Vec<usize> {
        let start = memory._words.as_ptr() as usize;
        let read = |address: usize| {
            assert!(address >= start && address % 8 == 0, "outside of the memory");
            memory._words[(address - start) / 8]
        };
        let (mut found, mut sp, mut fp) = (Vec::new(), memory.cfa, memory.fp);
        let mut return_address = read(sp - 8);
        loop {
            let rule = rules.iter().find(|(address, _)| *address == return_address);
            let Some(&(address, caller)) = rule else { break };
            found.push(address);
            let Caller::Frame { cfa, fp: saved, return_address: call } = caller else { break };
            let cfa = match cfa {
                Cfa::Sp(bytes) => sp + bytes,
                Cfa::Fp(bytes) => fp + bytes,
                Cfa::AtFp(bytes) => read(fp.checked_add_signed(bytes).unwrap()),
            };
            assert!(cfa > sp, "outwards");
            fp = match saved {
                SavedFp::Same => fp,
                SavedFp::BelowCfa(bytes) => read(cfa - bytes),
                SavedFp::AtFp => read(fp),
            };
            assert!(fp >= start && fp < start + 8 * memory._words.len(), "fp in the memory");
            sp = cfa;
            return_address = match call {
                ReturnAddress::BelowCfa(bytes) => read(cfa - bytes),
                ReturnAddress::SignedBelowCfa(bytes) => sign(read(cfa - bytes), cfa),
                ReturnAddress::InRegister => panic!("it has not called"),
            };
        }
        found
    }

    /// Lays out the rules with addresses from 100 on; as many as fit on one stack must be found
    /// there.
    #[track_caller]
    fn check(callers: &[Caller], fit: usize) {
        let rules: Vec<_> = (100..).zip(callers.iter().copied()).collect();
        let mut layout = Layout::new();
        let pushed =
            rules.iter().take_while(|&&(address, caller)| layout.push(address, caller, None));
        assert_eq!(pushed.count(), fit);
        let expected: Vec<_> = (100..).take(fit).collect();
        assert_eq!(unwind(&layout.finish(sign), &rules), expected);
    }

    const USUAL: [Caller; 3] = [
        Caller::frame(Cfa::Sp(8), SavedFp::Same),
        Caller::frame(Cfa::Sp(64), SavedFp::BelowCfa(16)),
        Caller::frame(Cfa::Fp(16), SavedFp::BelowCfa(16)),
    ];

    /// As compilers have them for aarch64: the return address beside the saved `fp`, anywhere in
    /// the frame, and perhaps signed.
    fn record(cfa: Cfa, fp: usize, call: ReturnAddress) -> Caller {
        Caller::Frame { cfa, fp: SavedFp::BelowCfa(fp), return_address: call }
    }

    #[test]
    fn frame_records_may_be_anywhere_in_the_frame() {
        use ReturnAddress::{BelowCfa, SignedBelowCfa};
        let [plain, saves, by_fp] = USUAL;
        let at_bottom = record(Cfa::Sp(96), 96, BelowCfa(88));
        let signed = record(Cfa::Sp(48), 16, SignedBelowCfa(8));
        let at_fp = record(Cfa::Fp(88), 96, SignedBelowCfa(88));
        let above = record(Cfa::Sp(64), 8, BelowCfa(16));
        for a in [at_bottom, signed, at_fp, above] {
            for b in [at_bottom, signed, at_fp, above, plain, saves, by_fp] {
                check(&[a, b, a, a, b, b, a, Caller::Outermost], 8);
            }
        }
    }

    #[test]
    fn what_has_not_called_is_not_laid_out() {
        let leaf = Caller::Frame {
            cfa: Cfa::Sp(0),
            fp: SavedFp::Same,
            return_address: ReturnAddress::InRegister,
        };
        check(&[leaf], 0);
        for (fp, call) in [(16, 16), (32, 8), (8, 32), (16, 0), (16, 12)] {
            check(&[record(Cfa::Sp(16), fp, ReturnAddress::BelowCfa(call))], 0);
        }
    }

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
            let at_rsp = frame(Cfa::Sp(8000), SavedFp::BelowCfa(bytes));
            let at_rbp = frame(Cfa::Fp(24), SavedFp::BelowCfa(bytes));
            check(&[at_rsp, by_rbp, at_rbp, plain, at_rbp, at_rsp, plain, by_rbp], 8);
        }
    }

    #[test]
    fn realigned_frames_are_laid_out() {
        let [plain, saves, by_rbp] = USUAL;
        for bytes in [-8, -16, -800, 8, 48] {
            let gcc = frame(Cfa::AtFp(bytes), SavedFp::AtFp);
            check(&[gcc, gcc, plain, gcc, by_rbp, saves, gcc, saves], 8);
            let below = frame(Cfa::AtFp(bytes), SavedFp::BelowCfa(16));
            check(&[below, below, plain, gcc, by_rbp, below], 6);
        }
        // A frame that begins where `fp` points, but for what is saved there.
        check(&[frame(Cfa::AtFp(0), SavedFp::BelowCfa(16)), by_rbp], 2);
        check(&[frame(Cfa::AtFp(0), SavedFp::AtFp)], 0);
    }

    #[test]
    fn one_rbp_is_good_for_one_frame() {
        let [plain, saves, by_rbp] = USUAL;
        let keeps = frame(Cfa::Fp(16), SavedFp::Same);
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
        for (cfa, fp) in [
            (Cfa::Sp(0), SavedFp::Same),
            (Cfa::Sp(12), SavedFp::Same),
            (Cfa::Sp(LARGEST_FRAME + 8), SavedFp::Same),
            (Cfa::Sp(16), SavedFp::AtFp),
            (Cfa::Sp(16), SavedFp::BelowCfa(0)),
            (Cfa::Sp(16), SavedFp::BelowCfa(8)),
            (Cfa::Sp(16), SavedFp::BelowCfa(24)),
            (Cfa::Sp(32), SavedFp::BelowCfa(20)),
            (Cfa::Fp(12), SavedFp::Same),
            (Cfa::Fp(8), SavedFp::AtFp),
            (Cfa::AtFp(4), SavedFp::Same),
        ] {
            check(&[frame(cfa, fp)], 0);
        }
    }

    #[test]
    fn a_stack_does_not_grow_without_limit() {
        let large = frame(Cfa::Sp(ENOUGH / 3 * 8), SavedFp::Same);
        check(&[large; 4], 2);
        check(&[frame(Cfa::Sp(ENOUGH * 16), SavedFp::Same), USUAL[0]], 1);
        let small: Vec<_> = USUAL.into_iter().cycle().take(3000).collect();
        check(&small, 3000);
    }
}
