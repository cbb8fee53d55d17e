use mod_alloc::assert_growth;

fn main() {
    assert_growth!(max = 10, |_n| || ());
    assert_growth!(max = n, |_n| || ());
    assert_growth!(max = O(n^3), |_n| || ());
    assert_growth!(max = O(log(n)), |_n| || ());
    assert_growth!(max = O(m), max_bytes = O(n * n), |_n| || ());
    assert_growth!(max == O(1), |_n| || ());
    assert_growth!(max = , |_n| || ());
}
