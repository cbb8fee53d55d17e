//! Hot: `HeldCode`, the code that is held to a budget, as a report names it: in parts that are
//! there without memory.

use std::panic::Location;

#[derive(Clone, Copy)]
pub(crate) struct HeldCode {
    /// Its name in two parts, of which the first may be empty. Both are if it is not known.
    pub(crate) path: &'static str,
    pub(crate) function: &'static str,
    /// Where the budget was written.
    pub(crate) location: &'static Location<'static>,
}
