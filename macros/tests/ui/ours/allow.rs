use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = 1, allow = "tracing")]
fn no_list() {}

#[alloc_budget(max = 1, allow = [])]
fn empty_list() {}

#[alloc_budget(max = 1, allow = [tracing, "once-cell", "crate::log", "a::", 7])]
fn first_of_the_wrong_paths() {}

#[alloc_budget(max = 1, allow = ["once-cell"])]
fn name_of_a_package() {}

#[alloc_budget(max = 1, allow = ["crate::log"])]
fn no_crate() {}

#[alloc_budget(max_peak_bytes = 1, max_retained = 0, allow = ["tracing"])]
fn of_what_is_live() {}

#[alloc_budget(max = 1, call_sites = false, allow = ["tracing"])]
fn unrecorded() {}

#[alloc_budget(allow = ["tracing"])]
fn no_limit() {}

fn main() {
    assert_allocs!(max = 1, allowed = ["tracing"], { Vec::<u8>::new() });
}
