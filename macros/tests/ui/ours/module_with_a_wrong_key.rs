use mod_alloc::alloc_budget;

#[alloc_budget(maxx = 1, off)]
mod tests {
    #[test]
    fn first() {}

    #[test]
    fn second() {}
}

#[alloc_budget(max = 1, warmup = 1)]
mod repeated {
    #[test]
    fn with_parameters(_: u8) {}
}

fn main() {}
