use mod_alloc::assert_allocs;

fn main() {
    let text = String::new();
    assert_allocs!(max = 1, runs = 2, { drop(text) });
}
