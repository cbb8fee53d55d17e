use mod_alloc::assert_no_alloc;

fn main() {
    assert_no_alloc!(max = 1, { () });
    assert_no_alloc!(runs = 3, { () }, "message");
}
