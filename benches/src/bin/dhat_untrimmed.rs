//! dhat, as in `dhat.rs`, with backtraces that have all their frames. Its default is ten.

#[global_allocator]
static GLOBAL: dhat::Alloc = dhat::Alloc;

fn main() {
    let _profiler = dhat::Profiler::builder().testing().trim_backtraces(None).build();
    workloads::main(&[]);
}
