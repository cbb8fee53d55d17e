//! Cold: `Modules`, the files that the process has loaded, and where their code lies.
//!
//! By `dl_iterate_phdr`, as std does, and not `dladdr`: glibc runs a library's constructors with a lock held that
//! `dladdr` needs, and a report that is made in such a constructor must not wait for it on another thread.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void, CStr};
use std::ops::Range;
use std::path::Path;

struct Module {
    /// Last component of the path.
    name: String,
    /// What is added to the addresses in the file.
    base: usize,
    /// From the first to the last byte of what is mapped.
    mapped: Range<usize>,
    /// What may be executed.
    code: Vec<Range<usize>>,
}

pub(super) struct Modules {
    /// The program first.
    modules: Vec<Module>,
    /// Whether any was ever unloaded.
    has_unloaded: bool,
}

/// As much as libgcc's unwinder reads at an address that has no rule, to see whether it is the return from a signal
/// handler.
const READ_BY_UNWINDER: usize = 16;

impl Modules {
    /// Where they cannot be asked for.
    pub(super) fn none() -> Self {
        Self { modules: Vec::new(), has_unloaded: false }
    }

    pub(super) fn loaded() -> Self {
        let mut modules = Self::none();
        // SAFETY: `add` takes what `dl_iterate_phdr` hands out, and does not unwind: it allocates at most, and where
        // that fails the process ends. `modules` outlives the call.
        unsafe { dl_iterate_phdr(add, (&mut modules as *mut Self).cast()) };
        modules
    }

    /// Whether an unwinder may be shown the address: code, to be read at and behind it.
    pub(super) fn has_code_at(&self, return_address: usize) -> bool {
        let Some(end) = return_address.checked_add(READ_BY_UNWINDER) else { return false };
        let mut code = self.modules.iter().flat_map(|module| &module.code);
        code.any(|code| code.start < return_address && end <= code.end)
    }

    /// Whether std's names of what is there can be of nothing else: it looks once in a process which files are loaded. When one
    /// was unloaded since, another may be in its place. The program stays, and so does the library that this is.
    pub(super) fn is_as_std_knows_it(&self, address: usize) -> bool {
        let here = Self::loaded as *const () as usize;
        let is_around = |module: &Module, address| module.mapped.contains(&address);
        !self.has_unloaded
            || self.modules.first().is_some_and(|program| is_around(program, address))
            || self.modules.iter().any(|own| is_around(own, here) && is_around(own, address))
    }

    /// The name of the file, and the offset in it. For what belongs to no file, an empty name, and the address itself.
    pub(super) fn locate(&self, address: usize) -> (String, usize) {
        match self.modules.iter().find(|module| module.mapped.contains(&address)) {
            Some(module) => (module.name.clone(), address.wrapping_sub(module.base)),
            None => (String::new(), address),
        }
    }
}

extern "C" fn add(info: *const Info, size: usize, modules: *mut c_void) -> c_int {
    // SAFETY: what `Modules::loaded` passed, which nothing else uses meanwhile.
    let modules = unsafe { &mut *modules.cast::<Modules>() };
    // SAFETY: `dl_iterate_phdr` hands out an `Info`, valid during the call.
    let info = unsafe { &*info };
    if info.headers.is_null() {
        return 0;
    }
    // SAFETY: the loader's own array of so many headers, valid during the call.
    let headers = unsafe { std::slice::from_raw_parts(info.headers, info.header_count.into()) };
    let range = |header: &Header| {
        let start = info.base.wrapping_add(header.address as usize);
        start..start.saturating_add(header.size as usize)
    };
    let loaded = || headers.iter().filter(|header| header.kind == Header::LOAD);
    let start = loaded().map(|header| range(header).start).min();
    let end = loaded().map(|header| range(header).end).max();
    let (Some(start), Some(end)) = (start, end) else { return 0 };
    let code = loaded().filter(|header| header.flags & Header::EXECUTABLE != 0).map(range);
    let is_program = modules.modules.is_empty();
    let name = if info.name.is_null() {
        None
    } else {
        // SAFETY: the loader's own string, valid during the call.
        last_component(&unsafe { CStr::from_ptr(info.name) }.to_string_lossy())
    };
    if size >= std::mem::size_of::<Info>() {
        modules.has_unloaded |= info.unloaded > 0;
    }
    modules.modules.push(Module {
        name: name.or_else(|| is_program.then(program)).unwrap_or_default(),
        base: info.base,
        mapped: start..end,
        code: code.collect(),
    });
    0
}

fn last_component(path: &str) -> Option<String> {
    Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned())
}

/// The program itself has no name at the loader.
fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.and_then(|path| last_component(&path.to_string_lossy()));
    name.unwrap_or_else(|| "the program".to_owned())
}

/// `struct dl_phdr_info`
#[repr(C)]
struct Info {
    base: usize,
    name: *const c_char,
    headers: *const Header,
    header_count: u16,
    /// Modules loaded and unloaded so far: glibc 2.4, musl 1.0.
    _loaded: u64,
    unloaded: u64,
}

/// `Elf64_Phdr`
#[repr(C)]
struct Header {
    kind: u32,
    flags: u32,
    _offset: u64,
    address: u64,
    _physical_address: u64,
    _size_in_file: u64,
    size: u64,
    _alignment: u64,
}

impl Header {
    const LOAD: u32 = 1;
    const EXECUTABLE: u32 = 1;
}

extern "C" {
    fn dl_iterate_phdr(
        callback: unsafe extern "C" fn(*const Info, usize, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
}
