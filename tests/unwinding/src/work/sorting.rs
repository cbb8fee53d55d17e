//! Comparisons that allocate, called back by the standard library's sorts and by C's.

use std::ffi::{c_int, c_void};

use crate::random::Random;

pub(crate) fn work() {
    for length in [5, 19, 60, 300, 900] {
        let mut random = Random::new(length as u64);
        let numbers: Vec<u32> = (0..length).map(|_| random.below(1_000) as u32).collect();
        let mut sorted = numbers.clone();
        sorted.sort();

        let mut stable = numbers.clone();
        stable.sort_by(|a, b| format!("{a:>4}").cmp(&format!("{b:>4}")));
        assert_eq!(stable, sorted);
        let mut unstable = numbers.clone();
        unstable.sort_unstable_by(|a, b| format!("{a:>4}").cmp(&format!("{b:>4}")));
        assert_eq!(unstable, sorted);
        let mut keyed = numbers.clone();
        keyed.sort_by_cached_key(|number| format!("{number:>4}"));
        assert_eq!(keyed, sorted);

        let mut by_c = numbers;
        // SAFETY: so many numbers lie there, and `compare` compares two of them.
        unsafe { qsort(by_c.as_mut_ptr().cast(), by_c.len(), 4, compare) };
        assert_eq!(by_c, sorted);
    }
}

extern "C" {
    fn qsort(
        base: *mut c_void,
        count: usize,
        size: usize,
        compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
    );
}

extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
    // SAFETY: `qsort` gives two of its numbers.
    let a = unsafe { *a.cast::<u32>() };
    // SAFETY: as above.
    let b = unsafe { *b.cast::<u32>() };
    format!("{a:>4}").cmp(&format!("{b:>4}")) as c_int
}
