use mod_alloc::assert_growth;

fn main() {
    assert_growth!();
    assert_growth!(max = O(1));
    assert_growth!(max = O(1), sizes = [64, 512]);
    assert_growth!(max = O(1), { vec![1]; });
    assert_growth!(max = O(1), || || vec![1]);
    assert_growth!(max = O(1), move || || vec![1]);
    assert_growth!("message", max = O(1), |_n| || ());
    assert_growth!(max = O(1), "message", |_n| || ());
    assert_growth!(max = O(1), "message");
}
