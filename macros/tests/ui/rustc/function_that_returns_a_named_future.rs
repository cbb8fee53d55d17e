use std::future::{ready, Future, Ready};
use std::pin::Pin;

use mod_alloc::alloc_budget;

type Response = Pin<Box<dyn Future<Output = u8>>>;

#[alloc_budget(max = 1)]
fn aliased() -> Response {
    Box::pin(ready(1))
}

#[alloc_budget(max = 0)]
fn of_a_type() -> Ready<u8> {
    ready(1)
}

#[alloc_budget(max = 0, runs = 2)]
fn repeated() -> Ready<u8> {
    ready(1)
}

#[alloc_budget(max = 1)]
fn of_a_closure() -> Box<dyn Fn(&str) -> usize> {
    Box::new(|text| text.len())
}

fn main() {
    drop((aliased(), of_a_type(), repeated(), of_a_closure()));
}
