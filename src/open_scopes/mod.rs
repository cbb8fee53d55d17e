//! Hot: the scopes that are open on a thread, and those that other threads count for.
//!
//! - [`scope_stack`]: the scopes that are open on a thread, innermost last; [`entry`]: one of them;
//! - [`shared_scope`]: a scope that other threads add to; [`share`]: what one thread adds.

mod entry;
mod scope_stack;
mod share;
mod shared_scope;

pub(crate) use entry::{Kind, NewEntry, Reading, ScopeId, ScopeIds};
pub(crate) use scope_stack::ScopeStack;
pub(crate) use shared_scope::{SharedScope, SharedScopeRef};
