//! Hot: `Module`, a program or a library, as unwinding needs it.

use super::bytes::Segment;

/// What must be known of a module to unwind through it.
pub(super) struct Module {
    /// The addresses it takes. Of a program with holes, perhaps only those of the part around the
    /// address.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Something to tell it from another at the same addresses.
    pub(super) identity: u64,
    /// The mapped segment that holds the unwind tables.
    pub(super) segment: Segment<'static>,
    /// The address of `.eh_frame_hdr`.
    pub(super) header: usize,
}
