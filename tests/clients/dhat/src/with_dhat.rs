//! The programs with the crate dhat.

use original_dhat as dhat;

mod programs;

fn main() {
    programs::main();
}
