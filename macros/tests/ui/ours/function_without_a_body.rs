use mod_alloc::alloc_budget;

trait Trait {
    #[alloc_budget(max = 1)]
    fn declared(&self);
}

fn main() {}
