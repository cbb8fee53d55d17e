//! Cold: `Modules`, the files that the process has loaded, and where their code lies.
//!
//! Relies on: dyld, which has mapped each file with its header and load commands, and tells of each
//! one that is unloaded.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::mach_o::{self, code, word};
use crate::sys::apple::{
    _dyld_get_image_header, _dyld_get_image_name, _dyld_get_image_vmaddr_slide, _dyld_image_count,
    _dyld_register_func_for_remove_image,
};

struct Module {
    /// Last component of the path.
    name: String,
    /// Where the file begins.
    base: usize,
    /// What may be executed.
    code: Vec<Range<usize>>,
    /// It is never unloaded while this code runs.
    stays: bool,
}

pub(crate) struct Modules(Vec<Module>);

/// Whether a file was unloaded since they were first asked for.
static HAS_UNLOADED: AtomicBool = AtomicBool::new(false);

impl Modules {
    pub(crate) fn loaded() -> Self {
        watch();
        // SAFETY: no arguments.
        let count = unsafe { _dyld_image_count() };
        Self((0..count).filter_map(module).collect())
    }

    /// Whether an unwinder may be shown the address: that after a call.
    pub(crate) fn has_code_at(&self, return_address: usize) -> bool {
        let mut code = self.0.iter().flat_map(|module| &module.code);
        code.any(|code| code.start < return_address && return_address <= code.end)
    }

    /// Whether the address lies in a file that stays.
    pub(crate) fn stays(&self, address: usize) -> bool {
        self.around(address).is_some_and(|module| module.stays)
    }

    /// Whether std's names of what is there can be of nothing else: it looks once in a process
    /// which files are loaded. When one was unloaded since, another may be in its place.
    pub(crate) fn is_as_std_knows_it(&self, address: usize) -> bool {
        !HAS_UNLOADED.load(Relaxed) || self.stays(address)
    }

    /// The name of the file, and the offset in it. For what belongs to no file, an empty name, and
    /// the address itself.
    pub(crate) fn locate(&self, address: usize) -> (String, usize) {
        match self.around(address) {
            Some(module) => (module.name.clone(), address.wrapping_sub(module.base)),
            None => (String::new(), address),
        }
    }

    fn around(&self, address: usize) -> Option<&Module> {
        let has = |module: &&Module| module.code.iter().any(|code| code.contains(&address));
        self.0.iter().find(has)
    }
}

/// Has it noted from now on that a file is unloaded.
fn watch() {
    static IS_WATCHED: AtomicBool = AtomicBool::new(false);
    extern "C" fn removed(_header: *const u8, _slide: usize) {
        HAS_UNLOADED.store(true, Relaxed);
    }
    if !IS_WATCHED.swap(true, Relaxed) {
        // SAFETY: `removed` may be called at any time.
        unsafe { _dyld_register_func_for_remove_image(removed) };
    }
}

/// The one of this number, unless it has just been unloaded.
fn module(number: u32) -> Option<Module> {
    // SAFETY: takes any number, and likewise below.
    let header = unsafe { _dyld_get_image_header(number) };
    // SAFETY: as above.
    let slide = unsafe { _dyld_get_image_vmaddr_slide(number) };
    // SAFETY: as above.
    let path = unsafe { _dyld_get_image_name(number) };
    if header.is_null() || path.is_null() {
        return None;
    }
    // SAFETY: dyld's own string.
    let path = unsafe { CStr::from_ptr(path) }.to_string_lossy();
    let name = Path::new(&*path).file_name();
    // SAFETY: a file that is loaded begins with its header.
    let start = unsafe { std::slice::from_raw_parts(header, mach_o::HEADER) };
    if word(start, 0)? != mach_o::MAGIC {
        return None;
    }
    let length = word(start, mach_o::COMMANDS_LENGTH)?.try_into().ok()?;
    let commands = header.wrapping_add(mach_o::HEADER);
    // SAFETY: they follow the header.
    let commands = unsafe { std::slice::from_raw_parts(commands, length) };
    let place = |address: u64| (address as usize).wrapping_add(slide);
    let code = code(commands, word(start, mach_o::COMMAND_COUNT)?);
    let code: Vec<_> = code.into_iter().map(|code| place(code.start)..place(code.end)).collect();
    let is_here = |address: &usize| code.iter().any(|code| code.contains(address));
    let is_in_cache = word(start, mach_o::FLAGS)? & mach_o::IN_CACHE != 0;
    Some(Module {
        name: name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        base: header as usize,
        stays: number == 0 || is_in_cache || needed_here().iter().any(is_here),
        code,
    })
}

/// Addresses in what this code cannot do without: itself, and the standard library.
fn needed_here() -> [usize; 2] {
    [Modules::loaded as *const () as usize, std::env::current_exe as *const () as usize]
}
