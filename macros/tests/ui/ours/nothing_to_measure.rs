use mod_alloc::assert_no_alloc;

fn main() {
    assert_no_alloc!();
    assert_no_alloc! {}
    assert_no_alloc!(, "message");
}
