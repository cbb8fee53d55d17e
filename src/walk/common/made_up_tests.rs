//! Hot: tests of the walker on stacks that are made up, word by word, and on rules for addresses
//! where there is no code. They change single words between two walks, which real stacks seldom do.

use std::sync::{Mutex, PoisonError};

use crate::walk::caller::{Caller, Cfa, ReturnAddress, SavedFp};
use crate::walk::stop::Stop;
use crate::walk::target::arch::registers::Registers;
use crate::walk::target::arch::rule::Rule;
use crate::walk::target::bounds;
use crate::walk::target::common::rule_table::{flush, generation, teach};
use crate::walk::target::common::Walker;

const PLAIN: usize = 0x1111_0000_1010;
const BY_FP: usize = 0x1111_0000_2020;
const SAVES_FP: usize = 0x1111_0000_3030;
const RARE: usize = 0x1111_0000_4040;
const SAVED_BELOW: usize = 0x1111_0000_5050;
const END: usize = 0x1111_0000_6060;
const OTHER_END: usize = 0x1111_0000_7070;
const NO_CODE: usize = 0x1111_0000_8080;

fn rule(cfa: Cfa, fp: SavedFp) -> Rule {
    Rule::of(Caller::frame(cfa, fp))
}

/// The frame pointer was saved below the frame, and the return address where the processor has it.
fn saved_below() -> Rule {
    let (cfa, fp) = (Cfa::Sp(16), SavedFp::BelowCfa(24));
    let rule = |return_address| Rule::of(Caller::Frame { cfa, fp, return_address });
    match rule(ReturnAddress::ON_TOP) {
        Rule::TOO_LARGE => rule(ReturnAddress::BelowCfa(16)),
        on_top => on_top,
    }
}

/// Where the processor has rules by which a CFA is read from the stack.
fn has_rare() -> bool {
    rule(Cfa::AtFp(-8), SavedFp::AtFp) != Rule::UNKNOWN
}

fn teach_all() {
    use SavedFp::{AtFp, BelowCfa, Same};
    teach(PLAIN, rule(Cfa::Sp(16), Same));
    teach(BY_FP, rule(Cfa::Fp(16), BelowCfa(16)));
    teach(SAVES_FP, rule(Cfa::Sp(24), BelowCfa(16)));
    teach(RARE, rule(Cfa::AtFp(-8), AtFp));
    teach(SAVED_BELOW, saved_below());
    teach(END, Rule::OUTERMOST);
    teach(OTHER_END, Rule::OUTERMOST);
    teach(NO_CODE, Rule::UNKNOWN);
}

/// Words on the stack of this thread, and a walker of them.
struct MadeUp {
    words: [usize; 32],
    walker: Box<Walker>,
    hashes: Vec<(Vec<usize>, Stop, u64)>,
}

/// Return addresses outermost first, why there are not more, and whether it was the same walk as
/// before.
type Outcome = (Vec<usize>, Stop, bool);

impl MadeUp {
    /// The address of a word.
    fn at(&self, word: usize) -> usize {
        self.words.as_ptr() as usize + 8 * word
    }

    /// Words that are the addresses of others.
    fn link(&mut self, links: &[(usize, usize)]) {
        for (word, to) in links {
            self.words[*word] = self.at(*to);
        }
    }

    fn set(&mut self, words: &[(usize, usize)]) {
        for (word, value) in words {
            self.words[*word] = *value;
        }
    }

    fn walk(&mut self, pc: usize, sp: usize, fp: usize) -> Outcome {
        std::hint::black_box(&mut self.words);
        let walked = self.walker.walk(Registers::of(pc, sp, fp));
        let (addresses, stop, hash) = (walked.return_addresses.to_vec(), walked.stop, walked.hash);
        for (other, other_stop, other_hash) in &self.hashes {
            assert_eq!(*other == addresses && *other_stop == stop, *other_hash == hash);
        }
        self.hashes.push((addresses.clone(), stop, hash));
        (addresses, stop, walked.is_same)
    }
}

/// Runs it again where another test has flushed the rules meanwhile; its own flushes are so many.
#[track_caller]
fn check(own_flushes: usize, expected: &[Outcome], run: impl Fn(&mut MadeUp) -> Vec<Outcome>) {
    // All tests have the same addresses.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let outcomes = (0..1_000).find_map(|_| {
        let before = generation();
        teach_all();
        let mut made_up =
            MadeUp { words: [0; 32], walker: Box::new(Walker::NEW), hashes: Vec::new() };
        let outcomes = run(&mut made_up);
        (generation() == before + 2 * own_flushes).then_some(outcomes)
    });
    drop(guard);
    assert_eq!(outcomes.expect("a quiet moment"), expected);
}

fn new(addresses: &[usize], stop: Stop) -> Outcome {
    (addresses.to_vec(), stop, false)
}

fn same(addresses: &[usize], stop: Stop) -> Outcome {
    (addresses.to_vec(), stop, true)
}

use Stop::{Complete, Inconsistent, NoStack, UnknownCode};

#[test]
fn another_rbp_at_the_same_place_leads_elsewhere() {
    // The first frame differs in its `fp` alone, by which the third finds its way.
    let expected = [new(&[END, BY_FP, PLAIN], Complete), new(&[OTHER_END, BY_FP, PLAIN], Complete)];
    check(0, &expected, |m| {
        m.set(&[(2, PLAIN), (4, BY_FP), (7, END), (11, OTHER_END)]);
        m.link(&[(1, 6)]);
        let first = m.walk(SAVES_FP, m.at(0), 0);
        m.link(&[(1, 10)]);
        vec![first, m.walk(SAVES_FP, m.at(0), 0)]
    });
    if !has_rare() {
        return;
    }
    // The same after a frame of a rare rule.
    check(0, &expected, |m| {
        m.set(&[(3, PLAIN), (5, BY_FP), (8, END), (12, OTHER_END)]);
        m.link(&[(0, 4), (1, 7)]);
        let first = m.walk(RARE, m.at(0), m.at(1));
        m.link(&[(1, 11)]);
        vec![first, m.walk(RARE, m.at(0), m.at(1))]
    });
}

#[test]
fn another_return_address_at_the_same_place_is_noticed() {
    if !has_rare() {
        return;
    }
    let expected = [new(&[END, PLAIN], Complete), new(&[OTHER_END], Complete)];
    check(0, &expected, |m| {
        m.set(&[(3, PLAIN), (5, END)]);
        m.link(&[(0, 4)]);
        let first = m.walk(RARE, m.at(0), m.at(1));
        m.set(&[(3, OTHER_END)]);
        vec![first, m.walk(RARE, m.at(0), m.at(1))]
    });
}

#[test]
fn words_further_out_that_have_changed_are_noticed() {
    let ends =
        |chain: &[usize]| [END, OTHER_END].map(|end| new(&[&[end], chain].concat(), Complete));
    // A saved `fp`.
    check(0, &ends(&[BY_FP, SAVES_FP]), |m| {
        m.set(&[(1, SAVES_FP), (4, BY_FP), (7, END), (11, OTHER_END)]);
        m.link(&[(3, 6)]);
        let first = m.walk(PLAIN, m.at(0), 0);
        m.link(&[(3, 10)]);
        vec![first, m.walk(PLAIN, m.at(0), 0)]
    });
    // A CFA that is read from the stack, while both return addresses stay.
    if has_rare() {
        check(0, &ends(&[RARE]), |m| {
            m.set(&[(1, RARE), (9, END), (13, OTHER_END)]);
            m.link(&[(3, 10)]);
            let first = m.walk(PLAIN, m.at(0), m.at(4));
            m.link(&[(3, 14)]);
            vec![first, m.walk(PLAIN, m.at(0), m.at(4))]
        });
    }
    // A return address.
    check(0, &ends(&[PLAIN]), |m| {
        m.set(&[(1, PLAIN), (3, END)]);
        let first = m.walk(PLAIN, m.at(0), 0);
        m.set(&[(3, OTHER_END)]);
        vec![first, m.walk(PLAIN, m.at(0), 0)]
    });
    // The end, where the return address was 0.
    let expected = [new(&[PLAIN], Complete), new(&[END, PLAIN], Complete)];
    check(0, &expected, |m| {
        m.set(&[(1, PLAIN)]);
        let first = m.walk(PLAIN, m.at(0), 0);
        m.set(&[(3, END)]);
        vec![first, m.walk(PLAIN, m.at(0), 0)]
    });
}

#[test]
fn rules_that_have_changed_are_noticed() {
    let expected = [new(&[END], Complete), new(&[OTHER_END], Complete)];
    check(1, &expected, |m| {
        m.set(&[(1, PLAIN), (3, END), (5, OTHER_END)]);
        let first = m.walk(PLAIN, m.at(2), 0);
        flush();
        teach_all();
        teach(PLAIN, rule(Cfa::Sp(32), SavedFp::Same));
        vec![first, m.walk(PLAIN, m.at(2), 0)]
    });
    let expected = [new(&[END], Complete), new(&[END], UnknownCode)];
    check(1, &expected, |m| {
        m.set(&[(1, END)]);
        let first = m.walk(PLAIN, m.at(0), 0);
        flush();
        teach_all();
        teach(END, Rule::UNKNOWN);
        vec![first, m.walk(PLAIN, m.at(0), 0)]
    });
}

#[test]
fn a_walk_is_the_same_if_all_of_it_is() {
    let expected = [
        new(&[NO_CODE, PLAIN], UnknownCode),
        same(&[NO_CODE, PLAIN], UnknownCode),
        new(&[NO_CODE], UnknownCode),
        new(&[NO_CODE, PLAIN], UnknownCode),
    ];
    check(0, &expected, |m| {
        m.set(&[(1, PLAIN), (3, NO_CODE)]);
        [0, 0, 2, 0].map(|word| m.walk(PLAIN, m.at(word), 0)).to_vec()
    });
    let expected = [
        new(&[], Complete),
        same(&[], Complete),
        new(&[], NoStack),
        same(&[], NoStack),
        new(&[], Complete),
    ];
    check(0, &expected, |m| {
        [true, true, false, false, true]
            .map(|own| m.walk(END, if own { m.at(0) } else { 8 }, 0))
            .to_vec()
    });
}

#[test]
fn rules_that_lead_out_of_the_stack_or_inwards_are_inconsistent() {
    let check = |pc: usize, fp: fn(&MadeUp) -> usize| {
        check(0, &[new(&[], Inconsistent)], |m| {
            m.words = [END; 32];
            vec![m.walk(pc, m.at(8), fp(m))]
        });
    };
    check(SAVED_BELOW, |_| 0);
    check(BY_FP, |m| m.at(4));
    check(BY_FP, |m| m.at(6)); // The CFA would be `sp`.
    check(BY_FP, |m| m.at(10) + 4);
    check(BY_FP, |m| bounds::readable(m.at(0)).expect("this thread's own").end - 8);
    check(BY_FP, |_| 8);
    check(BY_FP, |_| usize::MAX - 7);
    if has_rare() {
        check(RARE, |m| m.at(8)); // What the CFA is read from lies below `sp`.
        check(RARE, |m| m.at(9)); // The CFA is no address of the stack.
    }
}
