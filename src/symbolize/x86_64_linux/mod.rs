//! Cold: `resolve`, from addresses to places: which addresses go on which stack, and which of std's answers to believe.
#![allow(unsafe_code)]

use std::backtrace::Backtrace;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::panic::catch_unwind;

use layout::{Layout, Memory};
use modules::Modules;
use parse::{parse, Frame};
use roomy_thread::{on_a_roomy_thread, Outcome};

use super::{Place, Symbol};
use crate::walk::{self, rule_of, Caller};

mod layout;
mod modules;
mod parse;
mod roomy_thread;
#[cfg(test)]
mod tests;
mod trampoline;

/// If std does not answer for so many addresses as expected, something is wrong with the others as well.
const MAX_REFUSED: usize = 16;

pub(super) fn resolve(return_addresses: &[usize]) -> Vec<Place> {
    let addresses = return_addresses.to_vec();
    let modules = match on_a_roomy_thread(move || places_of(&addresses)) {
        Outcome::Done(places) => return places,
        Outcome::NotDone => Modules::loaded(),
        Outcome::Stuck => Modules::none(),
    };
    return_addresses.iter().map(|&address| unknown(&modules, address)).collect()
}

fn places_of(return_addresses: &[usize]) -> Vec<Place> {
    // The rules must be those that the unwinder will go by, also where a library was loaded in the place of another.
    walk::prepare();
    let modules = Modules::loaded();
    // In order, for std keeps the debug information of a few files only.
    let distinct: BTreeSet<usize> = return_addresses.iter().copied().collect();
    let callers: Vec<(usize, Caller)> = distinct
        .into_iter()
        .filter(|&address| modules.has_code_at(address) && modules.is_as_std_knows_it(address))
        .filter_map(|address| Some((address, caller(address)?)))
        .collect();
    let known = known(&callers);
    let place = |&address: &usize| match known.get(&address) {
        Some(symbols) => Place::Known(symbols.clone()),
        None => unknown(&modules, address),
    };
    return_addresses.iter().map(place).collect()
}

fn unknown(modules: &Modules, address: usize) -> Place {
    let (module, offset) = modules.locate(address);
    Place::Unknown { module, offset }
}

/// The rule of an address, unless the system's unwinder might follow one there that we do not know: then there is no
/// telling what it would read.
fn caller(return_address: usize) -> Option<Caller> {
    let caller = rule_of(return_address).caller();
    if caller == Caller::Unknown {
        // SAFETY: looks the address up in the unwind tables of what is loaded.
        let function = unsafe { _Unwind_FindEnclosingFunction(return_address as *const c_void) };
        return function.is_null().then_some(caller);
    }
    Some(caller)
}

/// What std says of the addresses, which are distinct. Those that it has no name for are left out.
fn known(callers: &[(usize, Caller)]) -> BTreeMap<usize, Vec<Symbol>> {
    let mut known = BTreeMap::new();
    let mut refused = 0;
    let mut rest = callers;
    while !rest.is_empty() && refused < MAX_REFUSED {
        let mut layout = Layout::new();
        let fits = |&&(address, caller): &&(usize, Caller)| layout.push(address, caller);
        let laid_out = rest.iter().take_while(fits).count();
        if laid_out == 0 {
            rest = &rest[1..];
            continue;
        }
        let Some(frames) = frames_above(layout.finish()) else { break };
        let asked = rest[..laid_out].iter().map(|&(address, _)| address);
        let found = asked.zip(&frames).take_while(|(asked, frame)| *asked == frame.address).count();
        for frame in frames.into_iter().take(found) {
            let has_answer = |symbol: &Symbol| symbol.function.is_some() || symbol.file.is_some();
            if frame.symbols.iter().any(has_answer) {
                known.insert(frame.address, frame.symbols);
            }
        }
        rest = &rest[found..];
        // The unwinder went another way. The rest is tried again, but for the address that would not do.
        if found < laid_out {
            refused += 1;
            rest = &rest[1..];
        }
    }
    known
}

/// The frames that std finds on the stack that was laid out; `None` if it did not get there: no unwinder does where
/// this crate was compiled without unwind tables (`panic = "abort"` before Rust 1.92).
fn frames_above(stack: Memory) -> Option<Vec<Frame>> {
    let mut captured: Option<Backtrace> = None;
    let into = (&mut captured as *mut Option<Backtrace>).cast();
    // SAFETY: `capture` takes a place for a backtrace and does not unwind. `stack` was laid out by the rules of its
    // addresses, all of which are code of loaded files, so an unwinder stays in its words.
    unsafe { trampoline::call_under(stack.cfa, stack.rbp, capture, into) };
    drop(stack);
    let mut frames = parse(&format!("{:#}", captured?));
    let below = trampoline::return_address();
    let at = frames.iter().position(|frame| frame.address == below)?;
    Some(frames.split_off(at + 1))
}

extern "C" fn capture(into: *mut c_void) {
    // Caught here: nothing may unwind into the stack that was laid out.
    let captured = catch_unwind(Backtrace::force_capture).ok();
    // SAFETY: what `frames_above` passed, which nothing else uses meanwhile.
    unsafe { *into.cast::<Option<Backtrace>>() = captured };
}

extern "C" {
    /// Of the system's unwinder; the address of the function that an address before `pc` belongs to, null if there is
    /// none.
    fn _Unwind_FindEnclosingFunction(pc: *const c_void) -> *const c_void;
}
