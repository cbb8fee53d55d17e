use mod_alloc::assert_allocs;

fn main() {
    loop {
        assert_allocs!(max = 1, runs = 2, { break });
    }
}
