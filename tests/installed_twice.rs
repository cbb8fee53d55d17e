//! A `ModAlloc` around a `ModAlloc` counts everything twice, and says so.

use mod_alloc::{AllocScope, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc<ModAlloc> = ModAlloc::with(ModAlloc::new());

#[test]
#[should_panic(
    expected = "mod-alloc counts one allocation 2 times: does a `ModAlloc` wrap another"
)]
fn it_fails_loudly() {
    let _scope = AllocScope::enter();
}
