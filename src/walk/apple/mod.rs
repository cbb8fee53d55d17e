//! Hot: where rules come from on Apple's systems.
//!
//! Walks need no tables there: each function that calls another keeps a *frame record*, the
//! caller's frame pointer and the return address in two words, and its frame pointer points to
//! them. That is so with all compilers on arm64, where the system's ABI demands it, and with those
//! of Rust and C, unless they are told otherwise, on x86_64.
//!
//! Who lays stacks out for the system's unwinder goes by what that goes by, the tables
//! ([`caller_at`]): [`sections`] finds them; [`unwind_info`] says which functions have a frame
//! record, and which must be looked for in [`eh_frame`]. Both are pure functions of bytes.

#[path = "../elf/bytes.rs"]
mod bytes;
#[path = "../elf/eh_frame.rs"]
mod eh_frame;
#[path = "../elf/frame_program.rs"]
mod frame_program;
#[path = "../elf/row.rs"]
pub(crate) mod row;
mod sections;
pub(crate) mod unwind_info;

use bytes::Segment;
use eh_frame::LastCies;
use sections::Sections;
use unwind_info::{encoding_at, Function};

use crate::walk::caller::{Caller, Cfa, SavedFp};
use crate::walk::target::arch::PROCESSOR;
use crate::walk::target::dwarf::Dwarf;

/// The outermost frame record of a thread leads to none: its frame pointer is null.
pub(crate) const NULL_ENDS: bool = true;

/// Of a function with a frame record.
const RECORD: Caller = Caller::frame(Cfa::Fp(16), SavedFp::BelowCfa(16));

/// Nothing is kept of tables.
pub(crate) struct Tables(());

impl Tables {
    pub(crate) const NONE: Self = Self(());
}

/// For a walk, any caller is found by a frame record, so no rule is ever out of date.
pub(crate) fn find_caller(_return_address: usize, _last: &mut Tables) -> Caller {
    RECORD
}

/// For want of rules that could be, there is nothing to do.
pub(crate) fn prepare() {}

/// What the tables say of a return address.
pub(crate) fn caller_at(return_address: usize) -> Caller {
    // A call may be the last instruction of its function: the entry wanted is that of the call.
    let pc = return_address.wrapping_sub(1);
    let caller = Sections::around(pc).and_then(|sections| caller_by(&sections, pc));
    caller.unwrap_or(Caller::Unknown)
}

fn caller_by(sections: &Sections, pc: usize) -> Option<Caller> {
    let offset = u32::try_from(pc.checked_sub(sections.file)?).ok()?;
    match Function::of(encoding_at(sections.unwind_info, offset)?, PROCESSOR)? {
        Function::Framed(_) => Some(RECORD),
        Function::InEhFrame(at) => {
            let segment =
                Segment { bytes: sections.eh_frame, address: sections.eh_frame.as_ptr() as usize };
            let entry = segment.address.checked_add(at)?;
            let mut nothing = LastCies::NONE;
            eh_frame::caller_at::<Dwarf>(segment, entry, pc, &mut nothing)
        }
    }
}
