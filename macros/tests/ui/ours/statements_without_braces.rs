use mod_alloc::assert_allocs;

fn main() {
    assert_allocs!(max = 1, let one = 1; drop(one));
}
