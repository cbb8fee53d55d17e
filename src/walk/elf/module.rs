//! Hot: `Module`, a program or a library, as unwinding needs it; `LastModule`, the one that was met
//! last.
//!
//! Relies on: the callers, for what they say of places.
#![allow(unsafe_code)]

use super::bytes::Segment;
use super::header::Functions;

/// What must be known of a module to unwind through it.
pub(super) struct Module {
    pub(super) place: Place,
    /// Something to tell it from another in the same place.
    pub(super) identity: u64,
    /// The mapped segment that holds the unwind tables.
    pub(super) segment: Segment<'static>,
    pub(super) functions: Functions<'static>,
}

/// Where a module is, by what the loader says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The addresses it takes. Of a program with holes, perhaps only those of the part around the
    /// address.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The address of `.eh_frame_hdr`.
    pub(super) header: usize,
    /// Where the loader describes it.
    pub(super) description: usize,
}

impl Module {
    pub(super) fn new(place: Place, segment: Segment<'static>) -> Self {
        let functions = Functions::read(segment, place.header);
        Self { place, identity: identity(place, segment), segment, functions }
    }
}

/// A number that differs, as a rule, between two modules at the same addresses: of where the loader
/// describes it, where its table of functions is, how long that is, and how it ends.
fn identity(place: Place, segment: Segment<'_>) -> u64 {
    let pairs = segment.from(place.header).rows();
    let [first, second, ..] = pairs else { return 0 };
    let [length, _] = *second;
    let length = u32::from_le_bytes(length) as usize;
    // No panic: compared before.
    let last = if length < pairs.len() { &pairs[length] } else { second };
    let sum = mixed(place.header as u64, place.description as u64);
    mixed(mixed(mixed(sum, word(first)), word(second)), word(last))
}

fn word([low, high]: &[[u8; 4]; 2]) -> u64 {
    u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << 32
}

fn mixed(sum: u64, word: u64) -> u64 {
    (sum.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// The module that was met last, so that its headers are read once. It may have gone since. All
/// zeros is none.
pub(super) struct LastModule {
    place: Place,
    identity: u64,
    segment_address: usize,
    segment_length: usize,
    /// The address and the length of the table of functions.
    rows: usize,
    row_count: usize,
}

impl LastModule {
    pub(super) const NONE: Self = Self {
        place: Place { start: 0, end: 0, header: 0, description: 0 },
        identity: 0,
        segment_address: 0,
        segment_length: 0,
        rows: 0,
        row_count: 0,
    };

    pub(super) fn keep(&mut self, module: &Module) {
        self.place = module.place;
        self.identity = module.identity;
        self.segment_address = module.segment.address;
        self.segment_length = module.segment.bytes.len();
        self.rows = module.functions.rows.as_ptr() as usize;
        self.row_count = module.functions.rows.len();
    }

    pub(super) fn is(&self, module: &Module) -> bool {
        self.identity == module.identity && self.place == module.place
    }

    /// The module, if it is what is in this place.
    ///
    /// # Safety
    /// There is a module in this place now, and it stays loaded.
    pub(super) unsafe fn at(&self, place: Place) -> Option<Module> {
        if place != self.place {
            return None;
        }
        let first = self.segment_address as *const u8;
        // SAFETY: the segment of the module that was in this place. If another is there now, less
        // may be mapped, but what is compared next is: its table of functions.
        let bytes = unsafe { &*std::ptr::slice_from_raw_parts(first, self.segment_length) };
        let segment = Segment { bytes, address: self.segment_address };
        if identity(place, segment) != self.identity {
            return None;
        }
        let first = self.rows as *const [[u8; 4]; 2];
        // SAFETY: in the segment, when the module was met; the same is there now.
        let rows = unsafe { &*std::ptr::slice_from_raw_parts(first, self.row_count) };
        let functions = Functions { header: place.header, rows };
        Some(Module { place, identity: self.identity, segment, functions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, the length of a table and its rows, as far as a module is told by them.
    static TABLE: [u8; 28] =
        [1, 0x1b, 3, 0x3b, 0, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4];

    fn identity_of(bytes: &[u8]) -> u64 {
        let place = Place { start: 0, end: 0, header: 0x1000, description: 0 };
        identity(place, Segment { bytes, address: 0x1000 })
    }

    #[test]
    fn the_head_and_the_end_of_the_table_tell_modules_apart() {
        for at in [0, 4, 8, 12, 16, 20] {
            let mut other = TABLE;
            other[at] ^= 0x40;
            assert_ne!(identity_of(&other), identity_of(&TABLE), "{at}");
        }
        // However short, and whatever length it claims.
        for length in 0..TABLE.len() {
            identity_of(&TABLE[..length]);
        }
    }

    #[test]
    fn the_last_module_is_known_in_its_place_while_it_is_the_same() {
        let address = TABLE.as_ptr() as usize;
        let segment = Segment { bytes: &TABLE, address };
        let place = Place { start: address, end: address + 28, header: address, description: 1 };
        let mut last = LastModule::NONE;
        // SAFETY: a static stays; likewise below.
        let at = |last: &LastModule, place| unsafe { last.at(place) };
        assert!(at(&last, place).is_none());
        let module = Module::new(place, segment);
        last.keep(&module);
        let again = at(&last, place).expect("it is the same");
        assert!(last.is(&module) && last.is(&again));
        assert_eq!((again.segment.address, again.segment.bytes), (address, &TABLE[..]));
        assert_eq!(again.functions.rows, [[[1; 4], [2; 4]], [[3; 4], [4; 4]]]);
        for other in [
            Place { start: 0, ..place },
            Place { end: 0, ..place },
            Place { header: address + 8, ..place },
            Place { description: 2, ..place },
        ] {
            assert!(at(&last, other).is_none() && !last.is(&Module::new(other, segment)));
        }
        // What was in this place had another table.
        last.keep(&Module { identity: !module.identity, ..module });
        assert!(at(&last, place).is_none() && !last.is(&again));
    }
}
