use mod_alloc::alloc_budget;

#[alloc_budget(max = 1)]
struct Unit;

#[alloc_budget(max = 1)]
pub(crate) enum Never {}

#[alloc_budget(max = 1)]
const ONE: u8 = 1;

#[alloc_budget(max = 1)]
static TWO: u8 = 2;

#[alloc_budget(max = 1)]
type Three = u8;

#[alloc_budget(max = 1)]
pub use std::vec;

#[alloc_budget(max = 1)]
extern "C" {}

fn main() {}
