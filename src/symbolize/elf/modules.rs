//! Cold: `Modules`, the files that the process has loaded, and where their code lies.
//!
//! By `dl_iterate_phdr`, as std does, and not `dladdr`: glibc runs a library's constructors with a
//! lock held that `dladdr` needs, and a report that is made in such a constructor must not wait for
//! it on another thread.

use std::ops::Range;
use std::path::Path;

use super::loader::{self, Info};
use crate::sys::unwinder::_Unwind_FindEnclosingFunction;

struct Module {
    /// Last component of the path.
    name: String,
    /// What is added to the addresses in the file.
    base: usize,
    /// From the first to the last byte of what is mapped.
    mapped: Range<usize>,
    /// What may be executed.
    code: Vec<Range<usize>>,
    /// It is never unloaded while this code runs.
    stays: bool,
}

pub(crate) struct Modules {
    /// The program first.
    modules: Vec<Module>,
    /// Whether any was ever unloaded.
    has_unloaded: bool,
}

/// As much as libgcc's unwinder reads at an address that has no rule, to see whether it is the
/// return from a signal handler.
const READ_BY_UNWINDER: usize = 16;

impl Modules {
    /// Where they cannot be asked for.
    pub(crate) fn none() -> Self {
        Self { modules: Vec::new(), has_unloaded: false }
    }

    pub(crate) fn loaded() -> Self {
        let mut modules = Self::none();
        loader::visit(|info| {
            modules.add(info);
            false
        });
        modules
    }

    fn add(&mut self, info: &Info) {
        self.has_unloaded |= info.unloaded > 0;
        let Some(mapped) = info.mapped() else { return };
        let is_program = self.modules.is_empty();
        // What the loader calls the program differs: nothing, a path, `/proc/self/exe` with musl.
        let name = match is_program {
            true => Some(program()),
            false => info.name().and_then(|path| last_component(&path)),
        };
        self.modules.push(Module {
            name: name.unwrap_or_default(),
            base: info.bias,
            stays: is_program || needed_here().iter().any(|address| mapped.contains(address)),
            mapped,
            code: info.code(),
        });
    }

    /// Whether an unwinder may be shown the address: code, to be read at and behind it.
    pub(crate) fn has_code_at(&self, return_address: usize) -> bool {
        let Some(end) = return_address.checked_add(READ_BY_UNWINDER) else { return false };
        let mut code = self.modules.iter().flat_map(|module| &module.code);
        code.any(|code| code.start < return_address && end <= code.end)
    }

    /// Whether the address lies in a file that stays.
    pub(crate) fn stays(&self, address: usize) -> bool {
        self.modules.iter().any(|module| module.stays && module.mapped.contains(&address))
    }

    /// Whether std's names of what is there can be of nothing else: it looks once in a process
    /// which files are loaded. When one was unloaded since, another may be in its place.
    pub(crate) fn is_as_std_knows_it(&self, address: usize) -> bool {
        !self.has_unloaded || self.stays(address)
    }

    /// The name of the file, and the offset in it. For what belongs to no file, an empty name, and
    /// the address itself.
    pub(crate) fn locate(&self, address: usize) -> (String, usize) {
        match self.modules.iter().find(|module| module.mapped.contains(&address)) {
            Some(module) => (module.name.clone(), address.wrapping_sub(module.base)),
            None => (String::new(), address),
        }
    }
}

/// Addresses in what this code cannot do without: itself, the standard library, the unwinder and
/// the C library.
fn needed_here() -> [usize; 4] {
    [
        Modules::loaded as *const () as usize,
        std::env::current_exe as *const () as usize,
        _Unwind_FindEnclosingFunction as *const () as usize,
        loader::of_c_library(),
    ]
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
