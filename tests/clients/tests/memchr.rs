//! memchr: searching allocates nothing, whichever vector instructions it picks at run time.

use memchr::{memchr, memchr_iter, memmem};
use mod_alloc::{assert_no_alloc, Budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &[u8] = include_bytes!("../fixtures/packages.json");

#[test]
fn bytes_are_found_without_allocating() {
    assert_no_alloc! {
        assert_eq!(memchr(b'{', TEXT), Some(0));
        assert_eq!(memchr_iter(b'@', TEXT).count(), 0);
    }
}

#[test]
fn substrings_are_found_without_allocating() {
    // `find_iter` also builds its searcher inside the block: it borrows the needle.
    let packages = assert_no_alloc!(memmem::find_iter(TEXT, "\"downloads\"").count());
    assert_eq!(packages, 16);
}

#[test]
#[should_panic(expected = "allocation budget exceeded")]
fn a_search_that_collects_its_hits_breaks_the_budget() {
    assert_no_alloc!({ memmem::find_iter(TEXT, "\"downloads\"").collect::<Vec<_>>() });
}

/// To own the needle takes one allocation of its length.
#[test]
fn a_searcher_that_owns_its_needle_allocates_it() {
    let exceeded = Budget::new()
        .max(0)
        .check(|| memmem::Finder::new("\"downloads\"").into_owned())
        .err()
        .unwrap();
    assert_eq!((exceeded.stats().alloc_count, exceeded.stats().total_bytes), (1, 11));
}
