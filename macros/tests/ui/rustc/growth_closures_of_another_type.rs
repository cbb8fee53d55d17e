use mod_alloc::assert_growth;

fn main() {
    assert_growth!(max = O(1), |n| vec![1; n].len());
    assert_growth!(max = O(1), sizes = [64.0, 512.0], |_n| || ());
}
