//! Whether call sites are here: what the library says of its target and of its features.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

use std::hint::black_box;
use std::sync::OnceLock;

use mod_alloc::{uncounted, Budget};

/// Tests of call sites ask this, and nothing else: then none is left out where there are any.
pub(crate) fn call_sites_are_here() -> bool {
    static ARE_HERE: OnceLock<bool> = OnceLock::new();
    let ask = || {
        let allocates = || drop(black_box(Vec::<u8>::with_capacity(1)));
        let exceeded = Budget::new().max(0).check(allocates).expect_err("it allocates");
        let report = exceeded.to_string();
        let are_not_here = ["\n  call sites are not available ", " without its feature "];
        !are_not_here.iter().any(|words| report.contains(words))
    };
    *ARE_HERE.get_or_init(|| uncounted(ask))
}
