//! A parser of a web server's log, in four steps from fourteen allocations a line to none at all:
//! `cargo run --example log_parser`. What holds each step is at the end, as tests:
//! `cargo test --example log_parser`.

use std::collections::HashMap;

use mod_alloc::ModAlloc;

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// Lines of the form `192.0.2.5 - - [TIME ZONE] "GET /path HTTP/1.1" 200 3284`. The last field is
/// `-` where nothing was sent.
const LOG: &str = include_str!("access.log");

/// Where the path and the bytes are, in a line that is split at its spaces.
const PATH: usize = 6;
const BYTES: usize = 9;

/// The first version, as one writes it: each field is a `String`, and so is each key.
fn owned(log: &str) -> HashMap<String, u64> {
    let mut totals = HashMap::new();
    for line in log.lines() {
        let fields: Vec<String> = line.split(' ').map(str::to_string).collect();
        let bytes = fields[BYTES].parse().unwrap_or(0);
        *totals.entry(fields[PATH].clone()).or_insert(0) += bytes;
    }
    totals
}

/// Fields are borrowed from the log. What is left are the list of them, which grows twice for each
/// line, and the keys.
fn borrowed_fields(log: &str) -> HashMap<String, u64> {
    let mut totals = HashMap::new();
    for line in log.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let bytes = fields[BYTES].parse().unwrap_or(0);
        *totals.entry(fields[PATH].to_string()).or_insert(0) += bytes;
    }
    totals
}

/// No list, and keys are borrowed too. What is left is the table, which grows with the number of
/// paths, and not with that of lines.
fn borrowed(log: &str) -> HashMap<&str, u64> {
    let mut totals = HashMap::new();
    add(&mut totals, log);
    totals
}

/// The same into a table that the caller keeps: nothing is allocated where it has room.
fn add<'log>(totals: &mut HashMap<&'log str, u64>, log: &'log str) {
    for line in log.lines() {
        let mut fields = line.split(' ');
        let (path, bytes) = (fields.nth(PATH), fields.nth(BYTES - PATH - 1));
        let bytes: u64 = bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        *totals.entry(path.unwrap_or("")).or_insert(0) += bytes;
    }
}

fn main() {
    let print = |step: &str, allocations: u64| {
        let each = allocations as f64 / LOG.lines().count() as f64;
        println!("{step:<34}{allocations:>5} allocations, {each:>5.2} a line");
    };
    print("owned: a String of each field", mod_alloc::measure(|| owned(LOG)).1.alloc_count);
    print("borrowed fields, in a list", mod_alloc::measure(|| borrowed_fields(LOG)).1.alloc_count);
    print("borrowed, without a list", mod_alloc::measure(|| borrowed(LOG)).1.alloc_count);
    let mut totals = HashMap::with_capacity(32);
    print("into a table that has room", mod_alloc::measure(|| add(&mut totals, LOG)).1.alloc_count);

    let (path, bytes) = totals.iter().max_by_key(|&(_, bytes)| bytes).expect("the log is empty");
    println!("most bytes: {bytes} for {path}");
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use mod_alloc::{alloc_budget, assert_growth, assert_no_alloc};

    use super::{add, borrowed, borrowed_fields, owned, LOG};

    #[test]
    fn all_steps_find_the_same() {
        let expected = owned(LOG);
        assert_eq!(expected["/robots.txt"], 41_830);
        assert_eq!(borrowed_fields(LOG), expected);
        let borrowed: HashMap<String, u64> =
            borrowed(LOG).into_iter().map(|(path, bytes)| (path.to_string(), bytes)).collect();
        assert_eq!(borrowed, expected);
    }

    /// Where one begins: what it takes today, as a limit, so that it does not get worse meanwhile.
    #[alloc_budget(max = 15 * LOG.lines().count())]
    #[test]
    fn owned_takes_fifteen_a_line() {
        owned(LOG);
    }

    #[alloc_budget(max = 4 * LOG.lines().count() + 10)]
    #[test]
    fn borrowed_fields_take_four_a_line() {
        borrowed_fields(LOG);
    }

    /// The log of a whole year takes no more than that of an hour.
    #[test]
    fn borrowed_does_not_depend_on_the_number_of_lines() {
        assert_growth!(max = O(1), max_bytes = O(1), |n| {
            let log = LOG.repeat(n / 64);
            move || {
                borrowed(&log);
            }
        });
    }

    #[test]
    fn a_table_that_has_room_takes_nothing() {
        let mut totals = HashMap::with_capacity(32);
        assert_no_alloc!({ add(&mut totals, LOG) });
        assert!(totals.contains_key("/robots.txt"));
    }
}
