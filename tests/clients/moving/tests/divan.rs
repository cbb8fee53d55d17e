//! What divan's profiler counts. Runs without the harness: it reads what divan prints.

use std::env;
use std::process::Command;

use divan::AllocProfiler;
use moving::{lines, TEXT};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

#[divan::bench(sample_count = 1, sample_size = 1)]
fn copies() -> Vec<String> {
    lines(divan::black_box(TEXT))
}

fn main() {
    if env::var_os("PRINTS_A_TABLE").is_some() {
        return divan::Divan::default().color(false).run_benches();
    }
    let program = env::current_exe().expect("this program");
    let output = Command::new(program).env("PRINTS_A_TABLE", "1").output().expect("its table");
    let table = String::from_utf8(output.stdout).expect("text");
    // What stands in the first column of the two rows below a name.
    let rows: Vec<&str> = table.lines().filter_map(|row| row.split('│').next()).collect();
    let below = |name: &str| {
        let at = rows.iter().position(|row| row.trim() == name);
        let at = at.unwrap_or_else(|| panic!("{name:?} is not in: {table}"));
        [rows[at + 1].trim(), rows[at + 2].trim()]
    };
    assert_eq!(below("alloc:"), ["6", "110 B"]);
    assert_eq!(below("grow:"), ["1", "96 B"]);
    assert_eq!(below("max alloc:"), ["6", "206 B"]);
    println!("divan: all numbers are as expected");
}
