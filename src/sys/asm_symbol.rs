//! Hot: `asm_symbol!`, the names of what is written in assembly.
//!
//! Such names are hidden, so that each library has its own, and carry the version, so that two
//! versions of this package fit into one program; they are weak, so that even the same version
//! twice does.

/// `mod_alloc_MAJOR_MINOR_PATCH_` and `$name`.
macro_rules! asm_symbol {
    ($name:literal) => {
        concat!(
            "mod_alloc_",
            env!("CARGO_PKG_VERSION_MAJOR"),
            "_",
            env!("CARGO_PKG_VERSION_MINOR"),
            "_",
            env!("CARGO_PKG_VERSION_PATCH"),
            "_",
            $name
        )
    };
}

pub(crate) use asm_symbol;
