use mod_alloc::alloc_budget;

#[alloc_budget(max = 1, runs = 3)]
fn argument(_text: String) {}

struct Buffer;

impl Buffer {
    #[alloc_budget(max = 1, warmup = 1)]
    async fn receiver(self) {}
}

fn main() {}
