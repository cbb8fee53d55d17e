use mod_alloc::alloc_budget;

#[alloc_budget(maxx = 1)]
fn typo() -> u32 {
    3
}

fn main() {
    // There is no second error: `typo` exists, and has its type.
    let _three: u32 = typo();
}
