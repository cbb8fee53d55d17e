use mod_alloc::{assert_allocs, assert_no_alloc, Budget};

fn main() {
    let budget = Budget::new().max(0);
    drop(budget.enforce(|| async { vec![1] }));
    drop(budget.check(|| async { vec![1] }));
    drop(budget.runs(2).enforce(|| async { vec![1] }));
    drop(assert_no_alloc!(Box::pin(async { vec![1] })));
    drop(assert_allocs!(max = 0, match 1 { _ => async { vec![1] } }));
}
