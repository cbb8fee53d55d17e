//! For tests that run many tests at once: threads that disturb them, and a way to run only some of
//! the tests in this binary.

use std::hint::black_box;
use std::sync::Once;
use std::thread;

use crate::again::{self, this_binary};

/// Starts threads that allocate, reallocate and free without end.
pub(crate) fn start_noise() {
    static NOISE: Once = Once::new();
    NOISE.call_once(|| {
        for seed in 1..4_usize {
            thread::spawn(move || {
                for i in (seed..).step_by(7) {
                    let mut block = black_box(Vec::<u8>::with_capacity(1 + i % 3_000));
                    block.reserve_exact(1 + i % 40_000);
                    if i % 512 == 0 {
                        thread::spawn(|| drop(black_box(vec![0_u8; 100])))
                            .join()
                            .expect("ends well");
                    }
                }
            });
        }
    });
}

/// Runs the tests of this binary below `module`, by 8 test threads, in a process of their own, with
/// a variable in its environment. Returns what they printed.
pub(crate) fn run_again(module: &str, variable: &str, value: &str) -> String {
    again::run(this_binary().args([module, "--test-threads=8"]).env(variable, value)).1
}
