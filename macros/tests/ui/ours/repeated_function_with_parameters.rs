use mod_alloc::alloc_budget;

#[alloc_budget(max = 1, runs = 3)]
fn argument(_text: String) {}

#[alloc_budget(max = 1, runs = 3)]
fn arrow_in_generics<F: Fn() -> u8>(_work: F) {}

struct Buffer;

impl Buffer {
    #[alloc_budget(max = 1, warmup = 1)]
    async fn receiver(self) {}
}

fn main() {}
