//! Hot: which module, the program or a library, an address lies in, and whether modules have been unloaded.
//!
//! Asked at the first sight of a return address only. glibc 2.35 and later answer through `_dl_find_object`, without a lock,
//! from any context. It is linked weakly; where there is none, `dl_iterate_phdr` answers, under a lock of the loader
//! that is held briefly and that a thread may take again.
//!
//! A module that is unloaded leaves its rules behind, and another may come to lie at its addresses. Either way out is taken:
//! - [`prepare`], when a scope opens, compares the loader's count of unloaded modules;
//! - a miss within a scope compares the module with those seen so far ([`check`]).
//!
//! Left is a module that is replaced within a scope by one of which only return addresses are met that the other had,
//! too.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::mem::size_of;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::bytes::Segment;
use super::rule::Rule;
use super::{eh_frame, header, rules};

/// What must be known of a module to unwind through it.
struct Module {
    /// The addresses it takes.
    start: usize,
    end: usize,
    /// Something to tell it from another at the same addresses.
    identity: u64,
    /// The mapped segment that holds the unwind tables.
    segment: Segment<'static>,
    /// The address of `.eh_frame_hdr`.
    header: usize,
}

/// The rule of a return address, from the tables of its module.
#[cold]
pub(super) fn find_rule(return_address: usize) -> Rule {
    // A call may be the last instruction of its function: the row wanted is that of the call.
    let pc = return_address - 1;
    let found = find(pc).and_then(|module| {
        check(&module);
        let fde = header::find(module.segment, module.header, pc)?;
        eh_frame::rule_at(module.segment, fde, pc)
    });
    found.unwrap_or(Rule::UNKNOWN)
}

fn find(pc: usize) -> Option<Module> {
    match find_object::function() {
        Some(function) => find_object::find(function, pc),
        None => by_iteration(pc),
    }
}

/// The ELF program header (System V ABI, "Program header").
#[repr(C)]
#[derive(Clone, Copy)]
struct ProgramHeader {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    physical: u64,
    file_size: u64,
    memory_size: u64,
    alignment: u64,
}

const LOAD: u32 = 1;
const EH_FRAME: u32 = 0x6474_e550;
const READABLE: u32 = 4;

/// The readable segment around an address, of a module that was moved by `bias` when it was loaded.
///
/// # Safety
/// The headers must be those of a module that stays loaded.
unsafe fn segment_at(
    address: usize,
    headers: &[ProgramHeader],
    bias: usize,
) -> Option<Segment<'static>> {
    let around = |header: &&ProgramHeader| {
        let start = bias.wrapping_add(header.address as usize);
        header.kind == LOAD
            && header.flags & READABLE != 0
            && address.wrapping_sub(start) < header.file_size as usize
    };
    let header = headers.iter().find(around)?;
    let start = bias.wrapping_add(header.address as usize);
    let length = header.file_size as usize;
    start.checked_add(length)?;
    // SAFETY: the loader has mapped `length` bytes at `start` for reading; they stay, as the caller promises.
    let bytes = unsafe { std::slice::from_raw_parts(start as *const u8, length) };
    Some(Segment { bytes, address: start })
}

/// The answer of `_dl_find_object`.
#[cfg(target_env = "gnu")]
mod find_object {
    use super::*;
    use std::arch::asm;
    use std::mem::MaybeUninit;

    /// `struct dl_find_object`
    #[repr(C)]
    pub(super) struct Found {
        flags: u64,
        start: usize,
        end: usize,
        link_map: *const LinkMap,
        eh_frame_header: usize,
        reserved: [u64; 7],
    }

    /// The beginning of `struct link_map`.
    #[repr(C)]
    struct LinkMap {
        bias: usize,
    }

    /// The beginning of an ELF file.
    #[repr(C)]
    struct ElfHeader {
        identification: [u8; 16],
        kind: u16,
        machine: u16,
        version: u32,
        entry: u64,
        program_headers: u64,
        section_headers: u64,
        flags: u32,
        size: u16,
        program_header_size: u16,
        program_header_count: u16,
    }

    type Function = unsafe extern "C" fn(*const c_void, *mut Found) -> c_int;

    /// The function, where the C library has it.
    #[inline(never)]
    pub(super) fn function() -> Option<Function> {
        let address: usize;
        // SAFETY: reads the place where the linker or the loader puts the address of the function, or 0.
        unsafe {
            asm!(
                ".weak _dl_find_object",
                "mov {}, qword ptr [rip + _dl_find_object@GOTPCREL]",
                out(reg) address,
                options(readonly, nostack, preserves_flags),
            );
        }
        // SAFETY: a null or a function of this type; `Option` of a function pointer has 0 for `None`.
        unsafe { std::mem::transmute::<usize, Option<Function>>(address) }
    }

    pub(super) fn find(function: Function, pc: usize) -> Option<Module> {
        let mut found = MaybeUninit::<Found>::uninit();
        // SAFETY: any address may be asked for, and `found` is writable.
        if unsafe { function(pc as *const c_void, found.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: filled in, as the result is 0.
        let found = unsafe { found.assume_init() };
        if found.eh_frame_header == 0 {
            return None;
        }
        // SAFETY: the loader's description of a module whose code runs in this thread, so it stays.
        let bias = unsafe { (*found.link_map).bias };
        let headers = headers(&found)?;
        // SAFETY: as above.
        let segment = unsafe { segment_at(found.eh_frame_header, headers, bias) }?;
        let identity = identity(segment, found.eh_frame_header, found.link_map as usize);
        let header = found.eh_frame_header;
        Some(Module { start: found.start, end: found.end, identity, segment, header })
    }

    /// The program headers, which lie in the first page of a module.
    fn headers(found: &Found) -> Option<&'static [ProgramHeader]> {
        const PAGE: u64 = 4096;
        // SAFETY: the first page of a module is mapped: it holds the beginning of the file.
        let header = unsafe { &*(found.start as *const ElfHeader) };
        let size = size_of::<ProgramHeader>();
        let end = header
            .program_headers
            .checked_add(u64::from(header.program_header_count) * size as u64)?;
        let is_elf = header.identification.starts_with(b"\x7fELF\x02\x01");
        if !is_elf
            || usize::from(header.program_header_size) != size
            || header.program_headers % 8 != 0
            || end > PAGE
        {
            return None;
        }
        let first = (found.start as *const u8).wrapping_add(header.program_headers as usize);
        // SAFETY: aligned, in the first page, and any bytes are valid.
        Some(unsafe {
            std::slice::from_raw_parts(first.cast(), usize::from(header.program_header_count))
        })
    }
}

/// Other C libraries have no such function.
#[cfg(not(target_env = "gnu"))]
mod find_object {
    use super::Module;

    #[derive(Clone, Copy)]
    pub(super) enum Function {}

    pub(super) fn function() -> Option<Function> {
        None
    }

    pub(super) fn find(function: Function, _pc: usize) -> Option<Module> {
        match function {}
    }
}

/// `struct dl_phdr_info`
#[repr(C)]
struct Info {
    bias: usize,
    name: *const c_char,
    headers: *const ProgramHeader,
    header_count: u16,
    /// Modules loaded and unloaded so far.
    loaded: u64,
    unloaded: u64,
}

extern "C" {
    fn dl_iterate_phdr(
        callback: unsafe extern "C" fn(*const Info, usize, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

/// Asks the loader for each module in turn.
fn by_iteration(pc: usize) -> Option<Module> {
    struct Search {
        pc: usize,
        module: Option<Module>,
    }

    unsafe extern "C" fn visit(info: *const Info, size: usize, search: *mut c_void) -> c_int {
        // SAFETY: the loader's description of a module, readable during this call.
        let info = unsafe { &*info };
        // SAFETY: the argument is `search` below, which nobody else uses now.
        let search = unsafe { &mut *search.cast::<Search>() };
        // SAFETY: so many headers lie there, for as long as the module is loaded.
        let headers =
            unsafe { std::slice::from_raw_parts(info.headers, usize::from(info.header_count)) };
        let range = |header: &ProgramHeader| {
            let start = info.bias.wrapping_add(header.address as usize);
            (start, start.wrapping_add(header.memory_size as usize))
        };
        let loads = || headers.iter().filter(|header| header.kind == LOAD).map(range);
        if !loads().any(|(start, end)| start <= search.pc && search.pc < end) {
            return 0;
        }
        if size >= size_of::<Info>() {
            check_unloaded(info.unloaded);
        }
        search.module = (|| {
            let header = headers.iter().find(|header| header.kind == EH_FRAME).map(range)?.0;
            // SAFETY: code of the module runs in this thread, so it stays loaded.
            let segment = unsafe { segment_at(header, headers, info.bias) }?;
            Some(Module {
                start: loads().map(|(start, _)| start).min()?,
                end: loads().map(|(_, end)| end).max()?,
                identity: identity(segment, header, info.headers as usize),
                segment,
                header,
            })
        })();
        1
    }

    let mut search = Search { pc, module: None };
    // SAFETY: `visit` takes what it is given here, and does not unwind.
    unsafe { dl_iterate_phdr(visit, (&mut search as *mut Search).cast()) };
    search.module
}

/// A number that differs, as a rule, between two modules at the same addresses: of where the loader describes it, where its table of functions
/// is, how long that is, and how it ends.
fn identity(segment: Segment<'_>, header: usize, description: usize) -> u64 {
    let at = header.wrapping_sub(segment.address);
    let table = segment.bytes.get(at..).unwrap_or_default();
    let word = |at: usize| {
        let bytes = table.get(at..at.wrapping_add(8)).and_then(|bytes| bytes.try_into().ok());
        u64::from_le_bytes(bytes.unwrap_or_default())
    };
    let count = word(8) as u32 as usize;
    let words = [header as u64, description as u64, word(0), word(8), word(4 + 8 * count)];
    words
        .iter()
        .fold(1, |sum: u64, word| (sum.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95))
}

/// A module from which a rule was taken. Two words that are written one after the other: whoever reads in between sees a
/// module that never was, and flushes once more than needed.
struct Seen {
    /// The first page and the number of pages. 0: none.
    pages: AtomicU64,
    identity: AtomicU64,
}

/// Modules past so many are not watched within a scope.
static SEEN: [Seen; 256] = {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each place.
    const NONE: Seen = Seen { pages: AtomicU64::new(0), identity: AtomicU64::new(0) };
    [NONE; 256]
};

const PAGE_BITS: u32 = 12;
const COUNT_BITS: u32 = 28;

/// Flushes the rules if the module lies where a different one was.
fn check(module: &Module) {
    let first = module.start as u64 >> PAGE_BITS;
    let count = (module.end.wrapping_sub(module.start) as u64 >> PAGE_BITS).wrapping_add(1);
    let pages = first << COUNT_BITS | count & ((1 << COUNT_BITS) - 1);
    let range = |pages: u64| {
        let first = pages >> COUNT_BITS;
        (first, first.wrapping_add(pages & ((1 << COUNT_BITS) - 1)))
    };
    let (start, end) = range(pages);
    let (mut is_known, mut is_in_place_of_another) = (false, false);
    for seen in &SEEN {
        let mut other = seen.pages.load(Relaxed);
        if other == 0 {
            if is_known {
                break;
            }
            match seen.pages.compare_exchange(0, pages, Relaxed, Relaxed) {
                Ok(_) => {
                    seen.identity.store(module.identity, Relaxed);
                    break;
                }
                Err(now) => other = now,
            }
        }
        let (other_start, other_end) = range(other);
        if other_start >= end || start >= other_end {
            continue;
        }
        is_known = true;
        if other != pages || seen.identity.load(Relaxed) != module.identity {
            is_in_place_of_another = true;
            seen.pages.store(pages, Relaxed);
            seen.identity.store(module.identity, Relaxed);
        }
    }
    if is_in_place_of_another {
        rules::flush();
    }
}

/// The loader's count of unloaded modules when it was last looked at.
static UNLOADED: AtomicU64 = AtomicU64::new(0);

fn check_unloaded(unloaded: u64) {
    if UNLOADED.swap(unloaded, Relaxed) != unloaded {
        rules::flush();
    }
}

/// This process is a child that `fork` made after the first `prepare`.
static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// Whether [`IS_FORKED`] will be told.
static HAS_FORK_HANDLER: AtomicBool = AtomicBool::new(false);

/// To be called when a recording scope opens, outside of the allocator: drops the rules if a module was unloaded since
/// the last time. ~100 ns.
pub(crate) fn prepare() {
    extern "C" fn in_child() {
        IS_FORKED.store(true, Relaxed);
    }
    unsafe extern "C" fn visit(info: *const Info, size: usize, _: *mut c_void) -> c_int {
        if size >= size_of::<Info>() {
            // SAFETY: the loader's description of a module, readable during this call.
            check_unloaded(unsafe { (*info).unloaded });
        }
        1 // The first module tells it.
    }

    if !HAS_FORK_HANDLER.swap(true, Relaxed) {
        // SAFETY: `in_child` may be called at any time. A failure leaves the flag unset.
        unsafe { pthread_atfork(None, None, Some(in_child)) };
    }
    // A forked child inherits the loader's lock as it was, perhaps held by a thread that it does not have. Without this,
    // a module that is replaced is still found at a miss.
    if IS_FORKED.load(Relaxed) && find_object::function().is_some() {
        return;
    }
    // SAFETY: `visit` takes any argument, and does not unwind.
    unsafe { dl_iterate_phdr(visit, std::ptr::null_mut()) };
}

/// The unwind tables of this program: their segment, the address of the header, and of each function the start and the entry.
#[cfg(test)]
pub(super) fn own_tables() -> (Segment<'static>, usize, Vec<(usize, usize)>) {
    let module = find(own_tables as *const () as usize).expect("this program has tables");
    let (segment, header) = (module.segment, module.header);
    let mut table = segment.from(header + 8).expect("in the segment");
    let count = table.u32().expect("a count");
    let mut word = || header.wrapping_add_signed(table.u32().expect("a word") as i32 as isize);
    let functions = (0..count).map(|_| (word(), word())).collect();
    (segment, header, functions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::Caller;

    #[test]
    fn both_ways_to_a_module_lead_to_the_same_tables() {
        let libc = dl_iterate_phdr as *const () as usize;
        for pc in [own_tables as *const () as usize, libc] {
            let direct = find(pc).expect("a module");
            let searched = by_iteration(pc).expect("a module");
            assert_eq!(direct.header, searched.header);
            assert_eq!(direct.segment.address, searched.segment.address);
            assert_eq!(direct.segment.bytes.len(), searched.segment.bytes.len());
            assert!(direct.start <= pc && pc < direct.end);
            assert!(searched.start <= pc && pc < searched.end);
        }
        assert!(find(8).is_none() && by_iteration(8).is_none());
    }

    #[test]
    fn the_entry_of_every_function_is_found() {
        let (segment, header, functions) = own_tables();
        for (at, (start, fde)) in functions.iter().enumerate() {
            assert_eq!(header::find(segment, header, *start), Some(*fde), "{at}");
        }
        let known = functions
            .iter()
            .filter(|(start, _)| {
                matches!(
                    find_rule(start + 1).caller(),
                    Caller::Frame { cfa: crate::walk::Cfa::Rsp(8), .. }
                )
            })
            .count();
        assert!(known > functions.len() * 99 / 100, "{known} of {}", functions.len());
    }

    #[test]
    fn a_module_in_place_of_another_flushes() {
        // Addresses of no module, so that other tests do not meet them.
        let module = |start: usize, pages: usize, identity: u64| Module {
            start,
            end: start + pages * 4096,
            identity,
            segment: Segment { bytes: &[], address: start },
            header: 0,
        };
        let flushes = |start, pages, identity| {
            let before = rules::generation();
            check(&module(start, pages, identity));
            rules::generation() != before
        };
        let base = 0x7000_0000;
        // Other tests flush as well; what is said here of not flushing is not asserted.
        check(&module(base, 4, 1));
        check(&module(base + (8 << 12), 4, 2));
        assert!(flushes(base, 4, 3), "another identity");
        assert!(flushes(base, 5, 3), "another length");
        assert!(flushes(base + (2 << 12), 8, 4), "another start, over two");
        assert!(flushes(base, 4, 3), "the first again");
    }

    #[test]
    fn preparing_again_is_harmless() {
        for _ in 0..3 {
            prepare();
        }
        assert!(HAS_FORK_HANDLER.load(Relaxed) && !IS_FORKED.load(Relaxed));
    }
}
