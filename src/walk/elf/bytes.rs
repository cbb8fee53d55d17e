//! Hot: reads the encodings of DWARF from a slice that may hold anything. A reader that is asked
//! for what is not there [has failed](Reader::has_failed): it has nothing left, and gives zeros.
//!
//! This runs unoptimised in debug builds, and there `?` takes as long as what it is for. So nothing
//! here is an `Option`, and slices are taken apart by patterns, which call no function.
//!
//! Relies on: the language, in which any bytes are an array of bytes, wherever they lie.
#![allow(unsafe_code)]

/// Readable memory of a module, and the address at which it lies.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) address: usize,
}

impl<'a> Segment<'a> {
    /// What lies at `address` and after.
    pub(crate) fn from(self, address: usize) -> Reader<'a> {
        let offset = address.wrapping_sub(self.address);
        let end = self.address.wrapping_add(self.bytes.len());
        if offset > self.bytes.len() {
            return Reader { rest: &[], end, has_failed: true };
        }
        // No panic: compared above.
        Reader { rest: &self.bytes[offset..], end, has_failed: false }
    }
}

/// What is left to read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// The address behind the last byte.
    end: usize,
    has_failed: bool,
}

// Pointer encodings (`DW_EH_PE_`, Linux Standard Base, "DWARF extensions"): a format, and what it
// is relative to.
const RELATIVE: u8 = 0x70;
const TO_ITSELF: u8 = 0x10;
const TO_DATA: u8 = 0x30;
pub(crate) const FORMAT: u8 = 0x0f;
/// Four signed bytes relative to the header: the one encoding of binary search tables.
pub(crate) const TABLE_ENTRY: u8 = TO_DATA | 0x0b;
pub(crate) const OMITTED: u8 = 0xff;

impl<'a> Reader<'a> {
    pub(crate) fn address(&self) -> usize {
        self.end.wrapping_sub(self.rest.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether anything was asked for that was not there, or of no known meaning.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    #[cold]
    pub(crate) fn fail(&mut self) {
        self.rest = &[];
        self.has_failed = true;
    }

    /// The next `length` bytes, on their own.
    pub(crate) fn part(&mut self, length: u64) -> Reader<'a> {
        let mut part = *self;
        part.limit(length);
        self.skip(length);
        part
    }

    /// Leaves no more than the next `length` bytes.
    pub(crate) fn limit(&mut self, length: u64) {
        if length > self.rest.len() as u64 {
            return self.fail();
        }
        self.end = self.address().wrapping_add(length as usize);
        // No panic: compared above.
        self.rest = &self.rest[..length as usize];
    }

    pub(crate) fn skip(&mut self, length: u64) {
        if length > self.rest.len() as u64 {
            return self.fail();
        }
        // No panic: compared above.
        self.rest = &self.rest[length as usize..];
    }

    pub(crate) fn u8(&mut self) -> u8 {
        let [byte, rest @ ..] = self.rest else {
            self.fail();
            return 0;
        };
        self.rest = rest;
        *byte
    }

    /// All that is left, as rows of two words of four bytes.
    pub(crate) fn rows(&self) -> &'a [[[u8; 4]; 2]] {
        let first = self.rest.as_ptr().cast();
        // SAFETY: so many arrays of bytes lie in the slice.
        unsafe { &*std::ptr::slice_from_raw_parts(first, self.rest.len() / 8) }
    }

    pub(crate) fn u16(&mut self) -> u16 {
        let low = self.u8();
        u16::from(low) | u16::from(self.u8()) << 8
    }

    pub(crate) fn u32(&mut self) -> u32 {
        let [a, b, c, d, rest @ ..] = self.rest else {
            self.fail();
            return 0;
        };
        self.rest = rest;
        u32::from_le_bytes([*a, *b, *c, *d])
    }

    fn u64(&mut self) -> u64 {
        let low = self.u32();
        u64::from(low) | u64::from(self.u32()) << 32
    }

    /// Bits past the 64th are dropped.
    pub(crate) fn uleb(&mut self) -> u64 {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                u64::from(byte)
            }
            _ => self.leb().0,
        }
    }

    pub(crate) fn sleb(&mut self) -> i64 {
        let (number, bits, last) = self.leb();
        let negative = last & 0x40 != 0 && bits < 64;
        (if negative { number | u64::MAX << bits } else { number }) as i64
    }

    /// The number, how many bits were given or that they were 64, and the last byte.
    fn leb(&mut self) -> (u64, u32, u8) {
        let (mut number, mut bits) = (0, 0_u32);
        loop {
            let byte = self.u8();
            if bits < 64 {
                number |= u64::from(byte & 0x7f) << bits;
                bits = bits.wrapping_add(7);
            }
            if byte & 0x80 == 0 {
                return (number, bits, byte);
            }
        }
    }

    /// A pointer, or a length, in the given encoding. Those that x86_64 has no use for fail.
    pub(crate) fn pointer(&mut self, encoding: u8) -> usize {
        let base = match encoding & !FORMAT {
            0 => 0,
            TO_ITSELF => self.address(),
            _ => {
                self.fail();
                0
            }
        };
        base.wrapping_add(self.format(encoding) as usize)
    }

    /// Passes over a pointer in an encoding of any meaning.
    pub(crate) fn skip_pointer(&mut self, encoding: u8) {
        if encoding == OMITTED {
            return;
        }
        if encoding & RELATIVE > 0x40 {
            self.fail();
        }
        self.format(encoding);
    }

    fn format(&mut self, encoding: u8) -> u64 {
        match encoding & FORMAT {
            0x0b => self.u32() as i32 as u64,
            0x00 | 0x04 | 0x0c => self.u64(),
            0x01 => self.uleb(),
            0x02 => u64::from(self.u16()),
            0x03 => u64::from(self.u32()),
            0x09 => self.sleb() as u64,
            0x0a => self.u16() as i16 as u64,
            _ => {
                self.fail();
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader, Segment, OMITTED};

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Segment { bytes, address: 0x1000 }.from(0x1000)
    }

    /// `None` is a failure.
    #[track_caller]
    fn check<'a, T: std::fmt::Debug + PartialEq>(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Reader<'a>) -> T,
        expected: Option<T>,
    ) {
        let mut reader = reader(bytes);
        let number = read(&mut reader);
        assert_eq!((!reader.has_failed()).then_some(number), expected);
        assert!(!reader.has_failed() || reader.is_empty());
    }

    #[test]
    fn numbers_are_little_endian_and_of_variable_length() {
        check(&[1, 2, 3, 4, 5], Reader::u32, Some(0x0403_0201));
        check(&[1, 2, 3], Reader::u32, None);
        check(&[1, 2], Reader::u16, Some(0x0201));
        check(&[1], Reader::u16, None);
        check(&[1, 2, 3, 4, 5, 6, 7, 8], Reader::u64, Some(0x0807_0605_0403_0201));
        check(&[1, 2, 3, 4, 5, 6, 7], Reader::u64, None);
        check(&[0xe5, 0x8e, 0x26], Reader::uleb, Some(624_485));
        check(&[0x7f], Reader::uleb, Some(0x7f));
        check(&[0x80, 0x80], Reader::uleb, None);
        check(&[], Reader::uleb, None);
        check(&[0xc0, 0xbb, 0x78], Reader::sleb, Some(-123_456));
        check(&[0x3f], Reader::sleb, Some(63));
        check(&[0x40], Reader::sleb, Some(-64));
    }

    #[test]
    fn rows_are_what_is_left_but_for_a_part_of_one() {
        let mut rest = reader(&[9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 1, 2, 2, 2, 2, 3]);
        assert_eq!(rest.u8(), 9);
        assert_eq!(rest.rows(), [[[1, 2, 3, 4], [5, 6, 7, 8]], [[1; 4], [2; 4]]]);
        rest.skip(10);
        assert!(rest.rows().is_empty() && !rest.has_failed());
    }

    #[test]
    fn numbers_of_any_length_end() {
        let mut long = vec![0xff; 1_000];
        check(&long, Reader::uleb, None);
        long.push(0x7f);
        check(&long, Reader::uleb, Some(u64::MAX));
        check(&long, Reader::sleb, Some(-1));
    }

    #[test]
    fn pointers_are_absolute_or_relative_to_themselves() {
        let bytes = [0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        let check = |encoding, expected| check(&bytes, |reader| reader.pointer(encoding), expected);
        check(0x1b, Some(0x0ffe));
        check(0x0a, Some(usize::MAX - 1));
        check(0x00, Some(0xffff_fffe));
        let mut later = reader(&[0, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!((later.u8(), later.pointer(0x1b)), (0, 0x0fff));
        for encoding in [0x9b, 0x3b, 0x0d, 0x50, OMITTED] {
            let mut reader = reader(&bytes);
            reader.pointer(encoding);
            assert!(reader.has_failed(), "{encoding:#x}");
        }
    }

    #[test]
    fn nothing_is_read_outside() {
        let segment = Segment { bytes: &[1, 2, 3, 4], address: 0x1000 };
        assert!(segment.from(0x0fff).has_failed());
        assert!(segment.from(0x1005).has_failed());
        let end = segment.from(0x1004);
        assert!(end.is_empty() && !end.has_failed());
        for length in [4, u64::MAX] {
            let mut three = segment.from(0x1001);
            assert!(three.part(length).has_failed() && three.has_failed());
        }
        let mut three = segment.from(0x1001);
        let mut two = three.part(2);
        assert_eq!((two.address(), two.u8(), two.u8(), two.is_empty()), (0x1001, 2, 3, true));
        assert_eq!((two.u8(), two.has_failed()), (0, true));
        assert_eq!((three.address(), three.u8(), three.has_failed()), (0x1003, 4, false));
        assert_eq!((three.u8(), three.has_failed()), (0, true));
    }

    #[test]
    fn what_has_failed_has_nothing_left() {
        let mut three = reader(&[1, 2, 3]);
        assert_eq!((three.u32(), three.u8()), (0, 0));
        assert!(three.is_empty() && three.rows().is_empty() && three.part(0).has_failed());
    }
}
