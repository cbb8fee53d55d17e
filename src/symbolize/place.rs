//! Cold: `Place` and `Symbol`, what is known of a return address.

use std::sync::Arc;

/// A function, and the place in it. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// As std prints it: demangled, with all that it has of generics, hashes and crate numbers; see
    /// [`names`](super::names).
    pub(crate) function: Option<String>,
    /// Symbols one after the other often share it.
    pub(crate) file: Option<Arc<str>>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
}

/// What is at a return address: where the call before it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Innermost (inlined) function first; never empty.
    #[allow(dead_code)] // Where no stack is walked, nothing is known.
    Known(Vec<Symbol>),
    /// Name of the file that the address was loaded from, without its folder, and the offset from
    /// where it was loaded. Both are the same in each run. The name is empty, and the offset the
    /// address itself, where no file is loaded.
    Unknown { module: String, offset: usize },
    /// The same, where nobody was asked, and why.
    #[allow(dead_code)] // As above.
    Unasked { module: String, offset: usize, why: &'static str },
}
