//! dhat, with its profiler running as in a test.

#[global_allocator]
static GLOBAL: dhat::Alloc = dhat::Alloc;

fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    workloads::main(&[]);
}
