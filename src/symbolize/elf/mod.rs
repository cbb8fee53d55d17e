//! Cold: the files that are loaded, on systems with ELF: [`modules`], by what the [`loader`] tells.

mod loader;
mod modules;
mod unwinder;

pub(crate) use loader::hold;
pub(crate) use modules::Modules;
pub(crate) use unwinder::caller;

/// How far it must be to the next frame, where unwinders go by it: they do not.
pub(crate) fn size_of_frame(_return_address: usize) -> Option<usize> {
    None
}
