use mod_alloc::alloc_budget;
use std::future::Future;
use std::pin::Pin;

#[alloc_budget(max = 1)]
fn opaque() -> impl Future<Output = u8> {
    async { 1 }
}

#[alloc_budget(max = 1)]
fn boxed<'a>() -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> {
    Box::pin(async { 1 })
}

fn main() {}
