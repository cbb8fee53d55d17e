use mod_alloc::assert_growth;

fn main() {
    assert_growth!(max_byte = O(n), |_n| || ());
    assert_growth!(min = O(1), |_n| || ());
    assert_growth!(runs = 2, max = O(1), |_n| || ());
    assert_growth!(max = O(1), max = O(n), |_n| || ());
    assert_growth!(max = O(1), sizes = [64, 512], sizes = [64, 4_096], |_n| || ());
    assert_growth!(O(1), |_n| || ());
    assert_growth!(64, |_n| || ());
    assert_growth!(max = O(1),, |_n| || ());
    assert_growth!(sizes = [64, 512], |_n| || ());
    assert_growth!(|_n| || ());
}
