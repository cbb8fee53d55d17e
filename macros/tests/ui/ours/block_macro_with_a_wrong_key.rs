use mod_alloc::assert_allocs;

fn main() {
    assert_allocs!(maxx = 1, { () });
    assert_allocs!(10, { () });
    assert_allocs!(max = 1, crate = mod_alloc, { () });
    assert_allocs!(max = 1,, { () });
    assert_allocs!(exact = 1, max = 2, { () });
    assert_allocs!(max = 1, runs = 0, { () });
}
