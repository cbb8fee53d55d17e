use mod_alloc::alloc_budget;

#[alloc_budget(max = 1)]
mod tests;

#[alloc_budget(max = 1)]
mod around {
    mod within;

    #[test]
    fn holds() {}
}

fn main() {}
