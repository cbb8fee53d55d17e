//! serde_json: a package listing is parsed within an exact budget, and the number is deduced, not
//! observed.
//!
//! How the 230 allocation events of `fixtures/packages.json` come about:
//!
//! - Strings that are not empty: 181. Each is copied into a `String` of exactly its length. `""`
//!   needs no memory.
//! - 16 packages: 3. serde does not know the length before, so the `Vec` grows by pushes, to room
//!   for 4, 8 and 16.
//! - Keywords: 17. There are 15 lists that are not empty. One of 5 and one of 6 grow once more,
//!   from 4 to 8.
//! - Dependencies: 14. There are 13 lists that are not empty. One of 5 grows once more.
//! - Features: 12. There are 12 lists that are not empty, and none is longer than 4.
//! - The scratch buffer: 3. One string has escapes, and is put together from parts, in 8, 16 and 32
//!   bytes.
//!
//! Keys, numbers, booleans and ignored fields cost nothing.

use std::hint::black_box;
use std::mem::size_of;

use mod_alloc::{alloc_budget, assert_allocs, assert_no_alloc, measure, Budget, ModAlloc};
use serde::{Deserialize, Serialize};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &str = include_str!("../fixtures/packages.json");

const STRING_BYTES: usize = 1_468;
const SCRATCH_BYTES: usize = 8 + 16 + 32;

const BYTES: usize = STRING_BYTES
    + SCRATCH_BYTES
    + (4 + 8 + 16) * size_of::<Package>()
    + (15 * 4 + 2 * 8) * size_of::<String>() // keywords
    + (13 * 4 + 8) * size_of::<Dependency>()
    + 12 * 4 * size_of::<String>(); // features

#[derive(Deserialize, Serialize)]
struct Listing {
    generator: String,
    packages: Vec<Package>,
}

#[derive(Deserialize, Serialize)]
struct Package {
    name: String,
    version: String,
    description: Option<String>,
    license: Option<String>,
    downloads: u64,
    yanked: bool,
    keywords: Vec<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize, Serialize)]
struct Dependency {
    name: String,
    req: String,
    optional: bool,
    features: Vec<String>,
}

fn parse() -> Listing {
    serde_json::from_str(TEXT).unwrap()
}

#[test]
#[alloc_budget(exact = 230, max_bytes = BYTES, max_reallocs = 2 + 2 + 1 + 2, max_deallocs = 1)]
fn a_listing_is_parsed_within_an_exact_budget() {
    let listing = std::mem::ManuallyDrop::new(parse());
    assert_eq!(listing.packages.len(), 16);
}

/// The table at the head of this file, computed from the parsed data.
#[test]
fn the_budget_follows_from_the_data() {
    let (listing, stats) = measure(parse);

    let mut expected = Expected::default();
    expected.string(&listing.generator);
    expected.pushed(&listing.packages);
    for package in &listing.packages {
        expected.string(&package.name);
        expected.string(&package.version);
        package.description.iter().chain(&package.license).for_each(|s| expected.string(s));
        expected.strings(&package.keywords);
        expected.pushed(&package.dependencies);
        for dependency in &package.dependencies {
            expected.string(&dependency.name);
            expected.string(&dependency.req);
            expected.strings(&dependency.features);
        }
    }
    assert_eq!(stats.alloc_count, expected.events + 3);
    assert_eq!(stats.realloc_count, expected.reallocs + 2);
    assert_eq!(stats.total_bytes, (expected.bytes + SCRATCH_BYTES) as u64);
    assert_eq!(stats.total_bytes, BYTES as u64);
    assert_eq!(stats.current_bytes, expected.live_bytes as i64);
    assert_eq!(stats.dealloc_count, 1, "only the scratch buffer is freed");
}

#[derive(Default)]
struct Expected {
    events: u64,
    reallocs: u64,
    bytes: usize,
    live_bytes: usize,
}

impl Expected {
    fn string(&mut self, string: &str) {
        self.events += u64::from(!string.is_empty());
        self.bytes += string.len();
        self.live_bytes += string.len();
    }

    /// A `Vec` that was filled by pushes. Its capacities were 4, 8, 16 and so on.
    fn pushed<T>(&mut self, items: &[T]) {
        let mut capacity = 0;
        while capacity < items.len() {
            self.events += 1;
            self.reallocs += u64::from(capacity > 0);
            capacity = (capacity * 2).max(4);
            self.bytes += capacity * size_of::<T>();
        }
        self.live_bytes += capacity * size_of::<T>();
    }

    fn strings(&mut self, strings: &[String]) {
        self.pushed(strings);
        strings.iter().for_each(|s| self.string(s));
    }
}

#[test]
fn one_allocation_less_than_it_takes_is_refused() {
    let exceeded = Budget::new().max(229).check(|| parse().packages.len()).unwrap_err();
    assert_eq!(exceeded.stats().alloc_count, 230);
    let exceeded = Budget::new().max_bytes(BYTES as u64 - 1).check(parse).err().unwrap();
    assert_eq!(exceeded.stats().total_bytes, BYTES as u64);
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn a_copy_planted_beside_the_parser_breaks_the_budget() {
    assert_allocs!(exact = 230, {
        let copy = std::hint::black_box(TEXT.to_owned());
        serde_json::from_str::<Listing>(&copy).unwrap()
    });
}

/// With borrowed fields, only the one `Vec` is left, which grows to 4, 8 and 16. The fourth
/// allocation is the stack of brackets that the parser keeps to skip a nested value, here the
/// ignored lists of dependencies. It has 8 bytes, the least of a `Vec<u8>`.
#[test]
#[alloc_budget(exact = 3 + 1, max_bytes = (4 + 8 + 16) * size_of::<Entry<'_>>() + 8)]
fn borrowed_fields_cost_only_the_list() {
    let names: Names<'_> = serde_json::from_str(TEXT).unwrap();
    assert_eq!(names.packages[15].name, "yaml-events");
}

#[derive(Deserialize)]
struct Names<'a> {
    #[serde(borrow)]
    packages: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    name: &'a str,
}

#[test]
fn writing_into_a_large_enough_buffer_allocates_nothing() {
    let listing = parse();
    let mut buffer = Vec::with_capacity(TEXT.len());
    assert_no_alloc!(serde_json::to_writer(&mut buffer, &listing).unwrap());
    let again: Listing = serde_json::from_slice(&buffer).unwrap();
    assert_eq!(
        again.packages[8].description.as_deref(),
        Some("Read \"pinned\" fields of a header")
    );
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn writing_into_a_buffer_that_must_grow_breaks_the_budget() {
    let listing = parse();
    let mut buffer = Vec::with_capacity(16);
    assert_no_alloc!(serde_json::to_writer(&mut buffer, &listing).unwrap());
}

/// All of it passes through serde_json; what is made of the result does not.
#[alloc_budget(max = 1, allow = ["serde_json"])]
#[test]
fn a_parser_may_be_allowed() {
    let listing: Listing = serde_json::from_str(TEXT).expect("a listing");
    assert_eq!(black_box(listing.generator.repeat(2)).len(), 2 * listing.generator.len());
}

#[alloc_budget(max = 0, allow = ["serde_json::ser"])]
#[test]
#[should_panic(expected = "allowed: nothing passes through what `allow` names")]
fn another_module_of_it_is_not() {
    let listing: Listing = serde_json::from_str(TEXT).expect("a listing");
    drop(black_box(listing));
}
