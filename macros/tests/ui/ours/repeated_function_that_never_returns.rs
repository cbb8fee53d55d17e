use mod_alloc::alloc_budget;

#[alloc_budget(max = 1, runs = 3)]
fn forever() -> ! {
    loop {}
}

fn main() {}
