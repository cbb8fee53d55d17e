use mod_alloc::assert_growth;

async fn request() {}

fn main() {
    assert_growth!(max = O(1), |_n| || request());
    assert_growth!(max = O(1), |_n| || || ());
}
