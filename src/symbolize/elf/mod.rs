//! Cold: the files that are loaded, on systems with ELF: [`modules`], by what the [`loader`] tells.

mod loader;
mod modules;
mod unwinder;

pub(crate) use loader::hold;
pub(crate) use modules::Modules;
pub(crate) use unwinder::caller;
