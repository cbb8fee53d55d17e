use mod_alloc::{alloc_budget, assert_allocs};

#[alloc_budget(max = 1, runs = 2)]
fn returns() -> u32 {
    return 3;
}

#[alloc_budget(max = 1, warmup = 1)]
fn question_mark() -> Result<u32, std::num::ParseIntError> {
    assert_eq!("3".parse::<u32>()?, 3);
    Ok("3".parse()?)
}

#[alloc_budget(max = 1, runs = 2)]
async fn future() -> Option<u32> {
    Some(None?)
}

fn returns_behind_a_closure() -> Option<u32> {
    assert_allocs!(max = 1, runs = 2, { [1].map(|n| { return n + 1; }); return Some(3) })
}

fn question_marks() -> Option<u32> {
    assert_allocs!(max = 1, runs = 2, None::<()>?, "message");
    Some(assert_allocs!(max = 1, runs = 2, { if true { None? } else { 3 } }))
}

fn main() {}
