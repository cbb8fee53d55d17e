use mod_alloc::assert_allocs;

fn main() {
    assert_allocs!({ () }, max = 1);
    assert_allocs!({ () }, max = 1, "message");
}
