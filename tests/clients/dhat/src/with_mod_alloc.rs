//! The programs with `mod_alloc::dhat`.

use mod_alloc::dhat;

mod programs;

fn main() {
    programs::main();
}
