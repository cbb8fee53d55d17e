//! A thousand tests: 40 modules with 25 of them each. With the feature `budgets`, all of them have
//! a budget. `ModAlloc` is installed in any case, and one more test has a budget, so that what of
//! the library all of them share is in every build.

#![cfg(test)]

#[global_allocator]
static GLOBAL: mod_alloc::ModAlloc = mod_alloc::ModAlloc::new();

#[mod_alloc::alloc_budget(max = 0)]
#[test]
fn nothing() {}

macro_rules! modules {
    ($($name:ident)*) => {
        $(
            #[allow(clippy::duplicate_mod)] // The same tests, again and again.
            #[path = "tests.rs"]
            mod $name;
        )*
    };
}

modules! {
    m00 m01 m02 m03 m04 m05 m06 m07 m08 m09 m10 m11 m12 m13 m14 m15 m16 m17 m18 m19
    m20 m21 m22 m23 m24 m25 m26 m27 m28 m29 m30 m31 m32 m33 m34 m35 m36 m37 m38 m39
}
