//! Cold: tests of `symbolize` as a whole, against what std prints of real stacks.

use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::fmt::Write;

use crate::counters::ignored;
use crate::symbolize::target::common::parse::{parse, PrintedFrame};
use crate::symbolize::target::common::resolve::{answers, capture_by, Answers};
use crate::symbolize::target::files::caller;
use crate::symbolize::{self, Place};
use crate::walk::{Caller, Cfa};

pub(crate) fn symbolize(return_addresses: &[usize]) -> Vec<Place> {
    ignored(|at_work| symbolize::symbolize(at_work, return_addresses))
}

thread_local! {
    /// What std has printed on this thread, by address.
    static PRINTED: RefCell<BTreeMap<usize, PrintedFrame>> =
        const { RefCell::new(BTreeMap::new()) };
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Notes what std prints of the stack, unless it was called too often.
#[inline(never)]
pub(crate) fn print() {
    LEFT.with(|left| left.set(left.get().saturating_sub(1)));
    if LEFT.with(Cell::get) > 0 {
        let text = format!("{:#}", Backtrace::force_capture());
        let frames = parse(&text).into_iter().filter(|frame| frame.address != 0);
        let frames: Vec<_> = frames.map(|frame| (frame.address, frame)).collect();
        PRINTED.with(|printed| printed.borrow_mut().extend(frames));
    }
}

/// Takes the note of `work`, in which `print` may be heard so often.
fn printed_in(times: usize, work: impl FnOnce()) {
    LEFT.with(|left| left.set(times));
    work();
}

/// Holds what `symbolize` says to what std has printed; returns the number of addresses and of
/// those unknown.
#[track_caller]
fn check() -> (usize, usize) {
    let frames = PRINTED.with(RefCell::take);
    let addresses: Vec<usize> = frames.keys().copied().collect();
    let places = symbolize(&addresses);
    assert_eq!(places.len(), addresses.len());
    let mut unknown = 0;
    for (frame, place) in frames.values().zip(places) {
        match place {
            Place::Known(symbols) => assert_eq!(symbols, frame.symbols),
            // Of a C library without symbols, std knows nothing either.
            Place::Unknown { .. } | Place::Unasked { .. } => {
                unknown += usize::from(has_name(frame))
            }
        }
    }
    (addresses.len(), unknown)
}

fn has_name(frame: &PrintedFrame) -> bool {
    frame.symbols.iter().any(|symbol| symbol.function.is_some())
}

#[test]
fn each_frame_of_a_real_stack_is_what_std_prints_of_it() {
    print();
    let (addresses, unknown) = check();
    assert!(addresses >= 10 && unknown == 0, "{addresses}, {unknown}");
}

/// Prints whenever the standard library does something with it.
#[derive(Clone)]
struct Spy(u32);

impl PartialEq for Spy {
    fn eq(&self, other: &Self) -> bool {
        print();
        self.0 == other.0
    }
}

impl Eq for Spy {}

impl PartialOrd for Spy {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Spy {
    fn cmp(&self, other: &Self) -> Ordering {
        print();
        self.0.cmp(&other.0)
    }
}

impl std::hash::Hash for Spy {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        print();
        self.0.hash(state);
    }
}

impl std::fmt::Debug for Spy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Spy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        print();
        f.pad("spy")
    }
}

impl Drop for Spy {
    fn drop(&mut self) {
        print();
    }
}

#[test]
fn addresses_all_over_the_standard_library_are_exact_or_unknown() {
    let spies =
        |n: u32| (0..n).map(|n| Spy(n.wrapping_mul(2_654_435_769) >> 20)).collect::<Vec<_>>();
    printed_in(300, || spies(300).sort());
    printed_in(300, || spies(40).sort_by(|a, b| b.cmp(a)));
    printed_in(300, || spies(300).sort_unstable());
    printed_in(50, || spies(30).sort_by_cached_key(Spy::clone));
    printed_in(50, || spies(30).dedup());
    printed_in(50, || assert!(spies(30).iter().max().is_some()));
    printed_in(50, || assert!(spies(30).binary_search(&Spy(7)).is_err()));
    printed_in(50, || spies(30).retain(|spy| *spy > Spy(100)));
    printed_in(100, || drop(spies(50).into_iter().map(|spy| (spy, 1)).collect::<HashMap<_, _>>()));
    printed_in(100, || drop(spies(50).into_iter().map(|spy| (spy, 1)).collect::<BTreeMap<_, _>>()));
    printed_in(100, || drop(spies(50).into_iter().collect::<BinaryHeap<_>>().into_sorted_vec()));
    printed_in(50, || {
        let mut text = format!("{:>9}{:?}", Spy(1), Spy(2).to_string());
        write!(text, "{}", Spy(3)).unwrap();
        text.extend(spies(2).iter().map(Spy::to_string));
    });
    printed_in(50, || spies(3).iter().flat_map(|spy| vec![spy.clone(); 2]).for_each(drop));
    printed_in(50, || {
        let unwinds = || {
            let _spies = (Box::new(Spy(1)), vec![Spy(2)], std::rc::Rc::new(Spy(3)));
            std::panic::resume_unwind(Box::new(Spy(4)));
        };
        drop(std::panic::catch_unwind(unwinds));
    });
    let (addresses, unknown) = check();
    assert!(addresses > 100 && unknown == 0, "{addresses}, {unknown}");
}

/// Return addresses of this thread's stack, as plain numbers, each once.
pub(crate) fn some_addresses() -> Vec<usize> {
    let frames = parse(&format!("{:#}", Backtrace::force_capture()));
    let mut known = BTreeSet::new();
    let is_some = |frame: &&PrintedFrame| frame.address != 0 && has_name(frame);
    let addresses = frames.iter().filter(is_some).map(|frame| frame.address);
    addresses.filter(|address| known.insert(*address)).collect()
}

pub(crate) fn functions(place: &Place) -> Vec<&str> {
    match place {
        Place::Known(symbols) => {
            symbols.iter().filter_map(|symbol| symbol.function.as_deref()).collect()
        }
        Place::Unknown { .. } | Place::Unasked { .. } => Vec::new(),
    }
}

#[test]
fn places_are_in_the_order_of_the_addresses() {
    let mut addresses = some_addresses();
    let expected = symbolize(&addresses);
    addresses.reverse();
    let places = symbolize(&addresses);
    let expected: Vec<_> = expected.into_iter().rev().collect();
    assert_eq!(places, expected);
    assert_eq!(symbolize(&[]), []);
}

#[test]
fn what_is_no_code_is_unknown() {
    static DATA: [u64; 64] = [0x1234; 64];
    let local = 0u64;
    let data = DATA.as_ptr() as usize + 64;
    let stack = &local as *const u64 as usize;
    let places = symbolize(&[0, 1, 8, 4096, usize::MAX, usize::MAX - 7, 1 << 46, data, stack]);
    for (at, place) in places.iter().enumerate() {
        if at == 7 && functions(place).iter().any(|name| name.contains("DATA")) {
            continue; // The linker has put it beside the code.
        }
        let Place::Unknown { module, offset } = place else { panic!("{place:?}") };
        match at {
            7 => assert!(module.starts_with("mod_alloc-") && data - offset > 4096, "{place:?}"),
            _ => assert_eq!(module, ""),
        }
    }
    assert_eq!(places[5], Place::Unknown { module: String::new(), offset: usize::MAX - 7 });
}

#[test]
fn nothing_is_counted() {
    let addresses = some_addresses();
    let ((), stats) = crate::measure(|| {
        ignored(|_| drop(symbolize(&addresses)));
    });
    assert_eq!(stats, crate::AllocStats::default());
}

#[test]
fn threads_may_ask_at_the_same_time() {
    let addresses = some_addresses();
    let expected = symbolize(&addresses);
    let ask = || assert_eq!(symbolize(&addresses), expected);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..10).for_each(|_| ask()));
        }
    });
}

#[test]
fn a_thread_with_a_small_stack_may_ask() {
    let addresses = some_addresses();
    let expected = symbolize(&addresses);
    let ask = move || symbolize(&addresses);
    let thread = std::thread::Builder::new().stack_size(16 * 1024).spawn(ask).unwrap();
    assert_eq!(thread.join().unwrap(), expected);
}

#[test]
fn what_the_unwinder_did_not_find_where_it_was_laid_out_is_not_believed() {
    let addresses: Vec<_> = BTreeSet::from_iter(some_addresses()).into_iter().collect();
    let callers: BTreeMap<_, _> = addresses.iter().map(|&at| (at, caller(at).unwrap())).collect();
    let known = |callers: &BTreeMap<usize, Caller>| {
        let caller = |address| callers.get(&address).copied();
        let Answers { known, are_others } = answers(&addresses, &|rest| capture_by(rest, &caller));
        assert!(!are_others);
        BTreeMap::from_iter(known)
    };
    let right = known(&callers);
    assert_eq!(right.len(), callers.len());
    let mut wrong_ones = 0;
    for pair in addresses.windows(2) {
        let Caller::Frame { cfa, fp, return_address } = callers[&pair[0]] else { continue };
        let cfa = match cfa {
            Cfa::Sp(bytes) => Cfa::Sp(bytes + 32),
            Cfa::Fp(bytes) => Cfa::Fp(bytes + 32),
            Cfa::AtFp(_) => continue,
        };
        wrong_ones += 1;
        let mut callers = callers.clone();
        callers.insert(pair[0], Caller::Frame { cfa, fp, return_address });
        let mut known = known(&callers);
        // The unwinder finds this frame, but not the next one.
        assert_eq!(known.remove(&pair[1]), None);
        assert!(known.contains_key(&pair[0]) && known.len() == callers.len() - 1);
        assert!(known.iter().all(|(address, symbols)| right[address] == *symbols));
    }
    assert!(wrong_ones > 0);
}

#[test]
fn what_cannot_be_laid_out_is_left_out_and_the_rest_is_asked_for() {
    let addresses: Vec<_> = BTreeSet::from_iter(some_addresses()).into_iter().collect();
    let odd = |address: usize| addresses.iter().position(|at| *at == address).unwrap() % 2 == 1;
    let caller = |address| caller(address).filter(|_| odd(address));
    let known = answers(&addresses, &|rest| capture_by(rest, &caller)).known;
    let expected: Vec<_> = addresses.iter().copied().filter(|at| odd(*at)).collect();
    assert_eq!(known.iter().map(|(at, _)| *at).collect::<Vec<_>>(), expected);
}

#[test]
fn stacks_that_are_not_those_that_were_shown_are_noticed() {
    let addresses: Vec<_> = BTreeSet::from_iter(some_addresses()).into_iter().collect();
    let (first, others) = addresses.split_first().unwrap();
    // Each time, std is shown what comes after.
    let shown_others = |rest: &[usize]| {
        let start = addresses.iter().position(|address| *address == rest[0]).unwrap();
        capture_by(
            addresses.get(start + 1..).filter(|rest| !rest.is_empty()).unwrap_or(&[*first]),
            &caller,
        )
    };
    let Answers { known, are_others } = answers(&addresses, &shown_others);
    assert!(known.is_empty() && are_others && !others.is_empty());
    // Nothing was shown.
    let Answers { known, are_others } = answers(&addresses, &|rest| capture_by(rest, &|_| None));
    assert!(known.is_empty() && !are_others);
}
