//! Allocations that are made when something is dropped: explicitly, at the end of a block, while a
//! panic unwinds, and when a thread ends.

use std::any::Any;
use std::cell::Cell;
use std::hint::black_box;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::thread;

use mod_alloc::{uncounted, AllocScope};

use crate::lines::{at, check, done, noted, user_lines, Line};
use crate::needs_call_sites::needs_call_sites;

struct Noisy;

impl Drop for Noisy {
    fn drop(&mut self) {
        done(at!(vec![1_u8; black_box(3)]));
    }
}

#[test]
#[rustfmt::skip] // A block that ends on the line that it begins on.
fn the_line_that_drops_it_is_in_the_chain() {
    needs_call_sites!();
    check(|| { at!(drop(Noisy)); done(()); });
    check(|| { let _at_the_end = Noisy; at!(black_box(())); });
    check(|| { let noisy = Noisy; let holder = [(1, noisy)]; at!(drop(holder)); done(()); });
    check(|| { let list = uncounted(|| vec![Noisy, Noisy]); at!(drop(list)); done(()); });
    check(|| {
        let object = uncounted(|| Box::new(Noisy) as Box<dyn Any>);
        at!(drop(black_box(object)));
        done(());
    });
    check(|| { let mut old = Some(Noisy); at!(old = black_box(None)); done(old); });
    check(|| { let by_closure = move || drop(Noisy); at!(by_closure()); done(()); });
}

#[test]
#[rustfmt::skip] // As above.
fn while_a_panic_unwinds() {
    needs_call_sites!();
    fn panics() -> ! { let _noisy = Noisy; at!(uncounted(|| resume_unwind(Box::new(())))) }
    check(|| {
        let caught = at!(catch_unwind(|| panics()));
        uncounted(|| assert!(caught.is_err()));
    });
    fn passes_it_on() { let _noisy = Noisy; at!(uncounted(|| resume_unwind(Box::new(())))) }
    check(|| {
        let caught = at!(catch_unwind(passes_it_on));
        uncounted(|| assert!(caught.is_err()));
    });
}

#[test]
fn what_a_panic_itself_allocates_is_at_the_line_of_the_panic() {
    needs_call_sites!();
    check(|| {
        let caught = at!(catch_unwind(|| {
            at!(panic!("formatted: {}", black_box(1)));
        }));
        uncounted(|| assert!(caught.is_err()));
    });
}

#[cfg_attr(windows, ignore = "they run under the loader's lock: no report has names meanwhile")]
#[test]
fn in_thread_local_destructors() {
    needs_call_sites!();
    static SEEN: Mutex<Vec<(Vec<Line>, Vec<Line>)>> = Mutex::new(Vec::new());
    struct AtExit(Cell<u8>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            noted();
            let scope = AllocScope::with_call_sites();
            at!(drop(Noisy));
            let sites = scope.call_sites();
            let expected = noted();
            let lines = |site: &mod_alloc::Site| -> Vec<Line> {
                let in_this_file = |&(_, line): &(&str, u32)| (file!(), line);
                assert!(user_lines(site).iter().all(|(file, _)| *file == file!()));
                user_lines(site).iter().map(in_this_file).collect()
            };
            let seen = sites.sites().iter().flat_map(lines).collect();
            SEEN.lock().expect("nobody panics").push((seen, expected));
        }
    }
    thread_local! {
        static EARLY: AtExit = const { AtExit(Cell::new(0)) };
        static LATE: AtExit = const { AtExit(Cell::new(0)) };
    }
    // When the library ends its part of the thread, one of the two is still to come.
    let thread = thread::spawn(|| {
        EARLY.with(|exit| exit.0.set(1));
        drop(black_box(Box::new(1)));
        LATE.with(|exit| exit.0.set(2));
    });
    thread.join().expect("it ends well");
    let seen = SEEN.lock().expect("nobody panics");
    assert_eq!(seen.len(), 2);
    for (lines, expected) in seen.iter() {
        assert_eq!((lines, lines.len()), (expected, 2));
    }
}
