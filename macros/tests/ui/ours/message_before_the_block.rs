use mod_alloc::{assert_allocs, assert_no_alloc};

fn main() {
    assert_allocs!("why", max = 3, { () });
    assert_allocs!(max = 3, "why", { () });
    assert_allocs!("why {}", 1, max = 3, { () });
    assert_no_alloc!("why", { () });
}
