//! mod-alloc under dhat's interface, with its profiler running as in a test.

use mod_alloc::dhat;

#[global_allocator]
static GLOBAL: dhat::Alloc = dhat::Alloc;

fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    workloads::main(&[]);
}
