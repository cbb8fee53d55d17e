//! Cold: `resolve`, from addresses to places: which addresses go on which stack, and which of std's
//! answers to believe.
//!
//! Relies on: `layout`, whose memory holds every word that the rules of its addresses lead to;
//! unwinders go by the same rules, which stand in the same tables.
#![allow(unsafe_code)]

use std::backtrace::Backtrace;
use std::env::consts::{ARCH, OS};
use std::ffi::c_void;
use std::io::{stderr, Write};
use std::mem;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::layout::{Layout, Memory};
use super::parse::{parse, PrintedFrame};
use crate::index::Index;
use crate::sort::sort_by;
use crate::symbolize::place::{Place, Symbol};
use crate::symbolize::target::arch::trampoline;
use crate::symbolize::target::files::{self, Modules};
use crate::symbolize::target::threads::{on_a_roomy_thread, Outcome};
use crate::walk::{self, Caller};

const _: () = assert!(walk::UNAVAILABLE.is_none());

/// If std does not answer for so many addresses as expected, something is wrong with the others as
/// well.
const MAX_REFUSED: usize = 16;

const OTHER_STACKS: &str = "the standard library prints other stacks than it is shown";

/// Std has printed other stacks than it was shown. Nothing is shown to it in this process any more.
static IS_OFF: AtomicBool = AtomicBool::new(false);

pub(crate) fn resolve(return_addresses: &[usize]) -> Vec<Place> {
    let addresses = return_addresses.to_vec();
    match on_a_roomy_thread(move || places_of(&addresses)) {
        Outcome::Done(places) => places,
        Outcome::NotDone(why) => unasked(&Modules::loaded(), return_addresses, why),
        Outcome::Stuck => return_addresses.iter().map(unnamed).collect(),
    }
}

fn places_of(return_addresses: &[usize]) -> Vec<Place> {
    let modules = Modules::loaded();
    if IS_OFF.load(Relaxed) {
        return unasked(&modules, return_addresses, OTHER_STACKS);
    }
    // In order, for std keeps the debug information of a few files only.
    let mut sorted = return_addresses.to_vec();
    sort_by(&mut sorted, usize::cmp);
    let (staying, others): (Vec<_>, Vec<_>) =
        sorted.into_iter().partition(|&address| modules.stays(address));
    let Answers { mut known, are_others } = answers(&staying, &capture);
    if are_others {
        switch_off();
        return unasked(&modules, return_addresses, OTHER_STACKS);
    }
    // From here on std must not need the loader any more: it looks once which files are loaded.
    if known.is_empty() {
        drop(Backtrace::force_capture().to_string());
    }
    known.extend(answers(&others, &capture_held).known);
    let mut places = Index::default();
    for (at, (address, _)) in known.iter().enumerate() {
        places.find_or_insert(*address, at);
    }
    let place = |&address: &usize| match places.find(address) {
        Some(at) => Place::Known(mem::take(&mut known[at].1)),
        None => unknown(&modules, address),
    };
    return_addresses.iter().map(place).collect()
}

/// Reports show files and offsets from now on, which are right wherever this is.
fn switch_off() {
    if !IS_OFF.swap(true, Relaxed) {
        // A closed stderr is no reason to fail.
        let _ = writeln!(
            stderr(),
            "mod-alloc: {OTHER_STACKS} on this target ({ARCH} {OS}), so reports have no lines in \
             this process. Please report it to mod-alloc, with the version of Rust."
        );
    }
}

/// What a report shows where the thread that looks for names was given up.
fn unnamed(&offset: &usize) -> Place {
    let module = "(no names: the loader is locked)".to_owned();
    Place::Unasked { module, offset, why: "the loader is locked" }
}

fn unasked(modules: &Modules, addresses: &[usize], why: &'static str) -> Vec<Place> {
    let place = |&address: &usize| {
        let (module, offset) = modules.locate(address);
        Place::Unasked { module, offset, why }
    };
    addresses.iter().map(place).collect()
}

fn unknown(modules: &Modules, address: usize) -> Place {
    let (module, offset) = modules.locate(address);
    Place::Unknown { module, offset }
}

/// Some of a list of addresses, on a stack that std has captured.
pub(crate) struct Captured {
    /// Which of the list were laid out, in order.
    asked: Vec<usize>,
    /// So many of the list are done with, one way or the other.
    done: usize,
    /// `None` if std did not get there: no unwinder does where this crate was compiled without
    /// unwind tables (`panic = "abort"` before Rust 1.92).
    backtrace: Option<Backtrace>,
}

/// What std has said.
pub(crate) struct Answers {
    /// The addresses that it has a name for.
    pub(crate) known: Vec<(usize, Vec<Symbol>)>,
    /// It came to where stacks were laid out, and printed nothing of what they were.
    pub(crate) are_others: bool,
}

/// What std says of the addresses, which are distinct.
pub(crate) fn answers(addresses: &[usize], capture: &dyn Fn(&[usize]) -> Captured) -> Answers {
    let mut known = Vec::new();
    let (mut refused, mut printed) = (0, 0);
    let mut rest = addresses;
    while !rest.is_empty() && refused < MAX_REFUSED {
        let Captured { asked, done, backtrace } = capture(rest);
        if asked.is_empty() {
            rest = &rest[done..];
            continue;
        }
        let Some(frames) = backtrace.and_then(|backtrace| frames_above(&backtrace)) else { break };
        let is_asked = |&(&at, frame): &(&usize, &PrintedFrame)| rest[at] == frame.address;
        let found = asked.iter().zip(&frames).take_while(is_asked).count();
        for frame in frames.into_iter().take(found) {
            let has_answer = |symbol: &Symbol| symbol.function.is_some() || symbol.file.is_some();
            if frame.symbols.iter().any(has_answer) {
                known.push((frame.address, frame.symbols));
            }
        }
        // Where the unwinder went another way, the rest is tried again, but for the address that
        // would not do.
        refused += usize::from(found < asked.len());
        printed += found;
        rest = &rest[asked.get(found).map_or(done, |at| at + 1)..];
    }
    Answers { known, are_others: refused > 0 && printed == 0 }
}

/// Captures as many of the addresses as fit on one stack.
fn capture(addresses: &[usize]) -> Captured {
    // The rules must be those that the unwinder will go by, also where a library was loaded in the
    // place of another.
    walk::prepare();
    let modules = Modules::loaded();
    let is_fit = |address| modules.has_code_at(address) && modules.is_as_std_knows_it(address);
    capture_by(addresses, &|address| if is_fit(address) { files::caller(address) } else { None })
}

/// The same while no library is unloaded, if that can be had.
fn capture_held(addresses: &[usize]) -> Captured {
    files::hold(|| capture(addresses)).unwrap_or_else(|| capture(addresses))
}

pub(crate) fn capture_by(
    addresses: &[usize],
    caller: &dyn Fn(usize) -> Option<Caller>,
) -> Captured {
    let mut layout = Layout::new();
    let (mut asked, mut done) = (Vec::new(), 0);
    for (at, &address) in addresses.iter().enumerate() {
        match caller(address) {
            Some(caller) if layout.push(address, caller, files::size_of_frame(address)) => {
                asked.push(at)
            }
            Some(_) if !asked.is_empty() => break,
            // What does not fit on an empty stack fits on none.
            _ => {}
        }
        done = at + 1;
    }
    let backtrace =
        if asked.is_empty() { None } else { backtrace_of(layout.finish(trampoline::signed)) };
    Captured { asked, done, backtrace }
}

fn backtrace_of(stack: Memory) -> Option<Backtrace> {
    let mut captured: Option<Backtrace> = None;
    let into = (&mut captured as *mut Option<Backtrace>).cast();
    // SAFETY: `force_capture` takes a place for a backtrace and does not unwind. `stack` was laid
    // out by the rules of its addresses, all of which are code of loaded files, so an unwinder
    // stays in its words.
    unsafe { trampoline::call_under(stack.cfa, stack.fp, force_capture, into) };
    drop(stack);
    captured
}

/// The frames that std has found on the stack that was laid out.
fn frames_above(backtrace: &Backtrace) -> Option<Vec<PrintedFrame>> {
    let mut frames = parse(&format!("{backtrace:#}"));
    let below = trampoline::return_address();
    let at = frames.iter().position(|frame| frame.address == below)?;
    Some(frames.split_off(at + 1))
}

extern "C" fn force_capture(into: *mut c_void) {
    // Caught here: nothing may unwind into the stack that was laid out.
    let captured = catch_unwind(Backtrace::force_capture).ok();
    // SAFETY: what `backtrace_of` passed, which nothing else uses meanwhile.
    unsafe { *into.cast::<Option<Backtrace>>() = captured };
}
