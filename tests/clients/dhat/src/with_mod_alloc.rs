//! The programs with what mod-alloc has in place of the crate dhat.

use mod_alloc::dhat;

mod programs;

fn main() {
    programs::main();
}
