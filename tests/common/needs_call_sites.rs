//! For the first line of a test: it ends there where there are no call sites.
#![allow(clippy::redundant_pub_crate)] // Some of these tests turn on every lint, for expansions.

macro_rules! needs_call_sites {
    () => {
        if !$crate::call_sites_are_here::call_sites_are_here() {
            return mod_alloc::uncounted(|| println!("skipped: there are no call sites here"));
        }
    };
}
pub(crate) use needs_call_sites;
