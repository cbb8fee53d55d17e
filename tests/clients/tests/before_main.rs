//! What is allocated before `main`, by constructors of the program or of a library, is counted.
#![cfg(target_os = "linux")]

mod plugin;

use std::hint::black_box;
use std::sync::OnceLock;

use mod_alloc::{measure, AllocStats, ModAlloc};
use plugin::{Counted, Plugin, CONSTRUCTOR_BYTES};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Far more than a test harness has. It is never touched, so it costs nothing but address space.
const BYTES: usize = 256 << 20;

struct BeforeMain {
    /// It is kept for as long as the process runs.
    _block: Vec<u8>,
    /// What a scope around its allocation has counted.
    scope: AllocStats,
    snapshots: [AllocStats; 2],
}

static BEFORE_MAIN: OnceLock<BeforeMain> = OnceLock::new();

extern "C" fn constructor() {
    let before = GLOBAL.snapshot();
    let (block, scope) = measure(|| black_box(Vec::with_capacity(BYTES)));
    let snapshots = [before, GLOBAL.snapshot()];
    let _ = BEFORE_MAIN.set(BeforeMain { _block: block, scope, snapshots });
}

// The loader calls each function in this section once. `constructor` ignores the arguments that it
// is given.
#[used]
#[link_section = ".init_array"]
static CONSTRUCTOR: extern "C" fn() = constructor;

fn before_main() -> &'static BeforeMain {
    BEFORE_MAIN.get().expect("the loader calls the constructor")
}

#[test]
fn a_scope_counts_before_main() {
    let scope = before_main().scope;
    assert_eq!((scope.alloc_count, scope.total_bytes), (1, BYTES as u64));
}

#[test]
fn a_snapshot_counts_before_main() {
    let [before, after] = before_main().snapshots;
    assert_eq!(after.alloc_count, before.alloc_count + 1);
    assert_eq!(after.total_bytes, before.total_bytes + BYTES as u64);
    assert_eq!(after.current_bytes, before.current_bytes + BYTES as i64);
}

#[test]
fn a_snapshot_in_a_test_includes_what_was_allocated_before_main() {
    let now = GLOBAL.snapshot();
    let others = now.current_bytes - BYTES as i64;
    assert!((0..16 << 20).contains(&others), "{now}");
    assert!(now.peak_bytes >= now.current_bytes && now.total_bytes >= BYTES as u64, "{now}");
}

/// The constructor of a library runs while the library is loaded. Nothing else in it was called.
#[test]
fn a_librarys_constructor_is_in_the_librarys_snapshot() {
    let plugin = Plugin::load();
    let live_bytes = CONSTRUCTOR_BYTES as i64;
    assert_eq!((plugin.snapshot)(), Counted { events: 1, bytes: CONSTRUCTOR_BYTES, live_bytes });
}
