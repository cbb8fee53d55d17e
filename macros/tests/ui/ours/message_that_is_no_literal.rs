use mod_alloc::assert_no_alloc;

fn main() {
    const MESSAGE: &str = "message";
    assert_no_alloc!({ () }, MESSAGE);
    assert_no_alloc!({ () }, b"message");
}
