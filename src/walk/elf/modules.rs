//! Hot: which module, the program or a library, an address lies in, and from there its rule. Asked
//! at the first sight of a return address only.
//!
//! A module that is unloaded leaves its rules behind, and another may come to lie at its addresses.
//! So the rules are dropped when a scope opens and the loader has unloaded something
//! ([`prepare`]), and within a scope when an address is met in a module that lies in place of
//! another ([`replaced`]). Neither this library nor the C library is unloaded while this library
//! runs. As long as all rules are of these two, which is so in most programs, nobody asks the
//! loader.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::eh_frame::{self, LastCies};
use super::module::{LastModule, Module};
use super::{find_object, iterate, replaced};
use crate::sys::loader::dl_iterate_phdr;
use crate::walk::caller::Caller;
use crate::walk::target::common::rule_table;
use crate::walk::target::dwarf::Dwarf;

/// Whether any rule is of a module that may be unloaded.
static MAY_BE_UNLOADED: AtomicBool = AtomicBool::new(false);

/// To be called when a recording scope opens, outside of the allocator: drops the rules if a module
/// was unloaded since the last time. ~100 ns, or nothing where all modules stay.
#[inline]
pub(crate) fn prepare() {
    if MAY_BE_UNLOADED.load(Relaxed) {
        iterate::flush_if_unloaded();
    }
}

/// What a thread keeps of the tables that it has read last. All zeros is nothing.
pub(crate) struct Tables {
    /// That of the rules, from before the module was met.
    generation: usize,
    module: LastModule,
    cies: LastCies,
}

impl Tables {
    pub(crate) const NONE: Self =
        Self { generation: 0, module: LastModule::NONE, cies: LastCies::NONE };
}

/// What the tables of its module say of a return address.
#[cold]
pub(crate) fn find_caller(return_address: usize, last: &mut Tables) -> Caller {
    // A call may be the last instruction of its function: the row wanted is that of the call.
    let pc = return_address.wrapping_sub(1);
    let generation = rule_table::generation();
    let Some(module) = find(pc, &last.module) else {
        // It may be one without tables.
        MAY_BE_UNLOADED.store(true, Relaxed);
        return Caller::Unknown;
    };
    if !last.module.is(&module) || last.generation != generation {
        if !stays(&module) {
            MAY_BE_UNLOADED.store(true, Relaxed);
        }
        replaced::check(&module);
        last.generation = generation;
        last.module.keep(&module);
        last.cies = LastCies::NONE;
    }
    let Some(fde) = module.functions.entry_of(pc) else {
        return Caller::Unknown;
    };
    let caller = eh_frame::caller_at::<Dwarf>(module.segment, fde, pc, &mut last.cies);
    caller.unwrap_or(Caller::Unknown)
}

/// Whether it is the module of this library or that of the C library, which this one needs. (A
/// program whose segments have holes between them may not be known as the former.)
fn stays(module: &Module) -> bool {
    let here = [find_caller as *const () as usize, dl_iterate_phdr as *const () as usize];
    here.iter().any(|address| module.place.start <= *address && *address < module.place.end)
}

fn find(pc: usize, last: &LastModule) -> Option<Module> {
    match find_object::function() {
        Some(function) => find_object::find(function, pc, last),
        None => iterate::find(pc),
    }
}

/// The unwind tables of this program: their segment, the address of the header, and of each
/// function the start and the entry.
#[cfg(test)]
pub(super) fn own_tables() -> (super::bytes::Segment<'static>, usize, Vec<(usize, usize)>) {
    let module = find(own_tables as *const () as usize, &LastModule::NONE);
    let module = module.expect("this program has tables");
    let (segment, header) = (module.segment, module.place.header);
    let mut table = segment.from(header + 8);
    let count = table.u32() as usize;
    let at = |word| header.wrapping_add_signed(i32::from_le_bytes(word) as isize);
    let functions: Vec<_> =
        table.rows()[..count].iter().map(|row| (at(row[0]), at(row[1]))).collect();
    (segment, header, functions)
}

/// Where the functions of this program start.
#[cfg(test)]
pub(crate) fn own_functions() -> Vec<usize> {
    own_tables().2.into_iter().map(|(start, _)| start).collect()
}

#[cfg(test)]
mod tests {
    use super::super::header::Functions;
    use super::super::module::Place;
    use super::*;
    use crate::walk::target::arch::test_functions::AT_ENTRY;

    #[test]
    fn both_ways_to_a_module_lead_to_the_same_tables() {
        let libc = crate::sys::process::getpid as *const () as usize;
        for pc in [own_tables as *const () as usize, libc] {
            let direct = find(pc, &LastModule::NONE).expect("a module");
            let searched = iterate::find(pc).expect("a module");
            assert_eq!(direct.place.header, searched.place.header);
            assert_eq!(direct.segment.address, searched.segment.address);
            assert_eq!(direct.segment.bytes.len(), searched.segment.bytes.len());
            assert!(direct.place.start <= pc && pc < direct.place.end);
            assert!(searched.place.start <= pc && pc < searched.place.end);
        }
        assert!(find(8, &LastModule::NONE).is_none() && iterate::find(8).is_none());
    }

    #[test]
    fn the_program_and_the_c_library_stay_and_others_may_not() {
        let libc = crate::sys::process::getpid as *const () as usize;
        for pc in [own_tables as *const () as usize, libc] {
            assert!(stays(&find(pc, &LastModule::NONE).expect("a module")));
        }
        let module = find(libc, &LastModule::NONE).expect("a module");
        let end = module.place.end;
        let place = Place { start: end, end: end + 4096, ..module.place };
        let another = Module { place, ..module };
        assert!(!stays(&another));
    }

    #[test]
    fn the_entry_of_every_function_is_found() {
        let (segment, header, functions) = own_tables();
        let table = Functions::read(segment, header);
        for (at, (start, fde)) in functions.iter().enumerate() {
            assert_eq!(table.entry_of(*start), Some(*fde), "{at}");
        }
        let mut last = Tables::NONE;
        let mut is_known = |(start, _): &&(usize, usize)| {
            let (caller, mut nothing) = (find_caller(start + 1, &mut last), Tables::NONE);
            assert_eq!(caller, find_caller(start + 1, &mut nothing));
            matches!(caller, Caller::Frame { cfa: AT_ENTRY, .. })
        };
        let known = functions.iter().filter(&mut is_known).count();
        assert!(known > functions.len() * 99 / 100, "{known} of {}", functions.len());
    }
}
