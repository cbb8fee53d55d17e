//! A library with a `ModAlloc` is closed while threads that have used it go on. Where it has
//! thread-locals with destructors, the loader of glibc keeps it for as long as a thread has yet to
//! call them. Otherwise it is unloaded, and nothing of mod-alloc's may be called in it when the
//! threads end.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod plugin;

use std::hint::black_box;
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

use mod_alloc::{measure, uncounted, ModAlloc};
use plugin::{is_in_memory, Counted, Plugin, CONSTRUCTOR_BYTES};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Whether the library is loaded is a matter of the whole process, so one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` on a thread that has ended, destructors of its thread-locals included, when this
/// returns.
fn on_another_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// The thread that loads the library also runs its constructor, which allocates. So that thread has
/// used the library.
fn load() -> Plugin {
    on_another_thread(Plugin::load)
}

extern "C" {
    fn pthread_key_create(
        key: *mut u32,
        destructor: Option<extern "C" fn(*mut std::ffi::c_void)>,
    ) -> i32;
}

const THREADS: usize = 4;

/// Each thread has used the library when it is closed, and ends after that. With `has_destructors`,
/// it has thread-locals of the library, too.
fn close_while_threads_go_on(has_destructors: bool) {
    let plugin = load();
    let (allocate, keep) = (plugin.allocate, plugin.keep);
    let used = Barrier::new(THREADS + 1);
    let closed = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        let use_it = || {
            assert_eq!(allocate(5), Counted { events: 5, bytes: 40, live_bytes: 0 });
            if has_destructors {
                keep(3);
            }
            used.wait();
            closed.wait();
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(use_it)).collect();
        used.wait();
        plugin.close();
        assert_eq!(is_in_memory(), has_destructors, "whether threads have yet to call into it");
        closed.wait();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn threads_end_after_the_library_was_closed() {
    let _alone = alone();
    for _ in 0..50 {
        close_while_threads_go_on(true);
    }
}

/// If the end of a thread led into the library, the process would crash.
#[test]
fn threads_end_after_the_library_was_unloaded() {
    let _alone = alone();
    for _ in 0..25 {
        close_while_threads_go_on(false);
    }
    // These are so many that the system allocates room for the values of further ones, for each
    // thread.
    for _ in 0..40 {
        let mut key = 0;
        // SAFETY: `key` is writable; without a destructor nothing else is asked for.
        assert_eq!(unsafe { pthread_key_create(&mut key, None) }, 0);
    }
    for _ in 0..25 {
        close_while_threads_go_on(false);
    }
}

/// Nothing of mod-alloc keeps the library in memory once those threads have ended. Loaded anew, it
/// has counted one allocation: that of its constructor.
#[test]
fn the_library_is_unloaded_when_its_threads_have_ended() {
    let _alone = alone();
    for round in 0..50 {
        if round % 10 == 9 {
            close_while_threads_go_on(true);
        }
        let plugin = load();
        on_another_thread(|| (plugin.keep)(3));
        plugin.close();
        assert!(!is_in_memory());
    }

    let plugin = load();
    on_another_thread(|| {
        let live_bytes = CONSTRUCTOR_BYTES as i64;
        let mut expected = Counted { events: 1, bytes: CONSTRUCTOR_BYTES, live_bytes };
        assert_eq!((plugin.snapshot)(), expected);
        (plugin.allocate)(5);
        expected.events += 5;
        expected.bytes += 40;
        assert_eq!((plugin.snapshot)(), expected);
    });
    plugin.close();
}

/// The program's own counters are not those of the library, and outlive it.
#[test]
fn the_program_counts_on_while_the_library_comes_and_goes() {
    let _alone = alone();
    let (_, stats) = measure(|| {
        let list = vec![1_u8; 100];
        uncounted(|| close_while_threads_go_on(true));
        black_box(list)
    });
    assert_eq!((stats.alloc_count, stats.total_bytes, stats.live_count), (1, 100, 1));
}
