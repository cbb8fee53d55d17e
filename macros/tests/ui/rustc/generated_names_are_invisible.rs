use mod_alloc::{alloc_budget, assert_no_alloc};

#[alloc_budget(max = 1)]
fn attribute() {
    drop(__guard);
}

fn main() {
    assert_no_alloc! { drop(__guard); }
    assert_no_alloc!({ () }, "{}", __exceeded);
}
