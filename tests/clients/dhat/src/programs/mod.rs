//! The programs that run with each of the two. A program prints what a user could see, and leaves
//! its files in the current folder. None knows which of the two it runs with.

mod ad_hoc;
mod assertions;
mod at_once;
mod elsewhere;
mod endings;
mod heap;
mod interface;
mod misuse;
mod random;
mod testing;
mod threads;
mod trimming;

use std::env;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use crate::dhat;

#[global_allocator]
static ALLOC: dhat::Alloc = dhat::Alloc;

pub(crate) fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // The first line that is printed allocates the buffer for all lines. No profiler runs yet.
    println!("{}", arguments.join(" "));
    match arguments[..] {
        ["ad_hoc"] => ad_hoc::run(),
        ["assertions"] => assertions::run(),
        ["at_once"] => at_once::run(),
        ["elsewhere"] => elsewhere::run(),
        ["endings"] => endings::run(),
        ["heap"] => heap::run(),
        ["interface"] => interface::run(),
        ["misuse"] => misuse::run(),
        ["random", seed, rounds] => random::run(number(seed), number(rounds)),
        ["testing"] => testing::run(),
        ["threads"] => threads::run(),
        ["trimming"] => trimming::run(),
        _ => panic!("which program?"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn print_stats(moment: &str) {
    println!("{moment}: {:?}", dhat::HeapStats::get());
}

/// Calls `call`, and prints how it panicked.
fn print_panic<R>(of: &str, call: impl FnOnce() -> R) {
    print_panic_with(of, call, |_| ());
}

/// The same for a call that panics at the line of the user.
fn print_panic_and_place<R>(of: &str, call: impl FnOnce() -> R) {
    print_panic_with(of, call, |panic| println!("{}:", panic.location().expect("always")));
}

fn print_panic_with<R>(of: &str, call: impl FnOnce() -> R, hook: fn(&PanicHookInfo<'_>)) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(hook));
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    panic::set_hook(usual);
    let Err(payload) = result else {
        println!("{of}: no panic");
        return;
    };
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    println!("{of}: {}", text.expect("a panic has a text"));
}
