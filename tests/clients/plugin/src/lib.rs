//! A dynamic library with a `ModAlloc` of its own, as programs load for a plug-in. The tests in
//! `tests/plugin_*.rs` load it and call the functions of `interface`.

mod interface;

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::OnceLock;

use interface::{Allocate, Counted, Holds, Keep, Snapshot, CONSTRUCTOR_BYTES};
use mod_alloc::{measure, AllocStats, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

static LOADED: OnceLock<Vec<u8>> = OnceLock::new();

extern "C" fn constructor() {
    LOADED.get_or_init(|| black_box(Vec::with_capacity(CONSTRUCTOR_BYTES as usize)));
}

// The loader calls each function in this section once. `constructor` ignores the arguments that it
// is given.
#[cfg(target_os = "linux")]
#[used]
#[link_section = ".init_array"]
static CONSTRUCTOR: extern "C" fn() = constructor;

impl From<AllocStats> for Counted {
    fn from(stats: AllocStats) -> Self {
        Self {
            events: stats.alloc_count,
            bytes: stats.total_bytes,
            live_bytes: stats.current_bytes,
        }
    }
}

fn allocate(blocks: u64) {
    (0..blocks).for_each(|n| drop(black_box(Box::new(black_box(n)))));
}

#[no_mangle]
pub extern "C" fn plugin_allocate(blocks: u64) -> Counted {
    measure(|| allocate(blocks)).1.into()
}

#[no_mangle]
pub extern "C" fn plugin_holds(max: u64, blocks: u64) -> bool {
    Budget::new().max(max).check(|| allocate(blocks)).is_ok()
}

#[no_mangle]
pub extern "C" fn plugin_keep(blocks: u64) {
    thread_local!(static KEPT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });
    // More than glibc's loader has in reserve for libraries that it loads later.
    thread_local!(static LARGE: Cell<[u64; 1_024]> = const { Cell::new([0; 1_024]) });
    LARGE.with(|large| black_box(large).set([blocks; 1_024]));
    KEPT.with_borrow_mut(|kept| kept.extend((0..blocks).map(|_| "8 bytes.".to_owned())));
}

#[no_mangle]
pub extern "C" fn plugin_snapshot() -> Counted {
    GLOBAL.snapshot().into()
}

// The functions are what `interface` says they are.
const _: (Allocate, Holds, Keep, Snapshot) =
    (plugin_allocate, plugin_holds, plugin_keep, plugin_snapshot);
