//! Hot: what the tables of its module say of an address. Asked at the first sight of a return
//! address only.

use super::module::Module;
use super::seen;
use super::unwind_info::Frame;
use crate::walk::caller::{Caller, Cfa, SavedFp};

/// Nothing is kept of the tables that were read last: to find them is a question to the kernel.
pub(crate) struct Tables(());

impl Tables {
    pub(crate) const NONE: Self = Self(());
}

/// How to get from a return address to the frame of the caller.
#[cold]
pub(crate) fn find_caller(return_address: usize, _: &mut Tables) -> Caller {
    let Some(module) = Module::at(return_address) else { return Caller::Unknown };
    seen::note(&module);
    module.frame(return_address).and_then(caller).unwrap_or(Caller::Unknown)
}

/// How far it is from the stack pointer to the CFA, if nothing was allocated but by the prologue.
pub(crate) fn frame_size(return_address: usize) -> Option<usize> {
    Some(Module::at(return_address)?.frame(return_address)?.size)
}

fn caller(frame: Frame) -> Option<Caller> {
    let cfa = if frame.is_by_rbp { Cfa::Fp(frame.cfa) } else { Cfa::Sp(frame.cfa) };
    let fp = match frame.rbp {
        None => SavedFp::Same,
        Some(place) if place < 0 => SavedFp::BelowCfa(place.unsigned_abs()),
        Some(_) => return None,
    };
    Some(Caller::frame(cfa, fp))
}

/// The start of each function of this program, by its tables.
#[cfg(test)]
pub(crate) fn own_functions() -> Vec<usize> {
    let module = Module::at(own_functions as *const () as usize).expect("it is loaded");
    let functions = super::unwind_info::all(module.table().expect("it can be read"));
    functions.into_iter().map(|function| module.start + function.start).collect()
}
