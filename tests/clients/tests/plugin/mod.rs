//! Loads the dynamic library of the package `plugin`, for the tests that are clients of it.
#![allow(dead_code, unused_imports)] // Each of them uses another part.

#[path = "../../plugin/src/interface.rs"]
mod interface;

use std::env;
use std::fs;
use std::path::PathBuf;

use libloading::Library;

use interface::{Allocate, Holds, Keep, Snapshot};
pub use interface::{Counted, CONSTRUCTOR_BYTES};

pub struct Plugin {
    library: Library,
    pub allocate: Allocate,
    pub holds: Holds,
    pub keep: Keep,
    pub snapshot: Snapshot,
}

impl Plugin {
    pub fn load() -> Self {
        // SAFETY: when it is loaded, the library does nothing but allocate one block.
        let library = unsafe { Library::new(path()) }.unwrap();
        // SAFETY: the library defines its functions with the types of `interface`, which it checks;
        // here and below.
        let allocate = *unsafe { library.get::<Allocate>(b"plugin_allocate") }.unwrap();
        // SAFETY: as above.
        let holds = *unsafe { library.get::<Holds>(b"plugin_holds") }.unwrap();
        // SAFETY: as above.
        let keep = *unsafe { library.get::<Keep>(b"plugin_keep") }.unwrap();
        // SAFETY: as above.
        let snapshot = *unsafe { library.get::<Snapshot>(b"plugin_snapshot") }.unwrap();
        Self { library, allocate, holds, keep, snapshot }
    }

    /// Closes the library. Whether that unloads it is for the loader to decide.
    pub fn close(self) {
        self.library.close().unwrap();
    }
}

/// Cargo puts the dynamic libraries of a package's dependencies next to its test binaries.
fn path() -> PathBuf {
    let name = libloading::library_filename("mod_alloc_plugin");
    let path = env::current_exe().unwrap().with_file_name(name);
    assert!(path.exists(), "{} has not been built", path.display());
    path
}

/// Whether the library is in this process's memory.
pub fn is_in_memory() -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let path = path();
    maps.lines().any(|line| line.ends_with(path.to_str().unwrap()))
}
