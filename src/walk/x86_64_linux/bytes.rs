//! Hot: reads the encodings of DWARF from a slice that may hold anything: whatever is not there is
//! `None`.

/// Readable memory of a module, and the address at which it lies.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) address: usize,
}

impl<'a> Segment<'a> {
    /// What lies at `address` and after.
    pub(crate) fn from(self, address: usize) -> Option<Reader<'a>> {
        let bytes = self.bytes.get(address.wrapping_sub(self.address)..)?;
        Some(Reader { bytes, at: 0, address })
    }
}

/// What is left to read, and its address. By index, which debug builds take less for than for ever
/// shorter slices.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// The first that is left; not past the end.
    at: usize,
    /// Of all bytes.
    address: usize,
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
        self.address.wrapping_add(self.at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next `length` bytes, on their own.
    pub(crate) fn part(&mut self, length: u64) -> Option<Reader<'a>> {
        let start = self.at;
        self.skip(length)?;
        let bytes = self.bytes.get(start..self.at)?;
        Some(Reader { bytes, at: 0, address: self.address.wrapping_add(start) })
    }

    pub(crate) fn skip(&mut self, length: u64) -> Option<()> {
        if length > (self.bytes.len() - self.at) as u64 {
            return None;
        }
        self.at += length as usize;
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let start = self.at;
        self.skip(N as u64)?;
        self.bytes.get(start..self.at)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        if self.at == self.bytes.len() {
            return None;
        }
        // No panic: `at` is never past the end.
        let byte = self.bytes[self.at];
        self.at += 1;
        Some(byte)
    }

    /// The four bytes of this number, from 0, of those left.
    pub(crate) fn nth_i32(&self, number: usize) -> Option<i32> {
        let start = number.checked_mul(4)?.checked_add(self.at)?;
        let &[a, b, c, d] = self.bytes.get(start..start.checked_add(4)?)? else { return None };
        Some(i32::from_le_bytes([a, b, c, d]))
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bits past the 64th are dropped.
    pub(crate) fn uleb(&mut self) -> Option<u64> {
        self.leb().map(|(number, _, _)| number)
    }

    pub(crate) fn sleb(&mut self) -> Option<i64> {
        let (number, bits, last) = self.leb()?;
        let negative = last & 0x40 != 0 && bits < 64;
        Some(if negative { number | u64::MAX << bits } else { number } as i64)
    }

    /// The number, how many bits were given, and the last byte.
    fn leb(&mut self) -> Option<(u64, u32, u8)> {
        let (mut number, mut bits) = (0, 0_u32);
        loop {
            let byte = self.u8()?;
            if bits < 64 {
                number |= u64::from(byte & 0x7f) << bits;
            }
            bits = bits.saturating_add(7);
            if byte & 0x80 == 0 {
                return Some((number, bits, byte));
            }
        }
    }

    /// A pointer, or a length, in the given encoding. `None` for those that x86_64 has no use for.
    pub(crate) fn pointer(&mut self, encoding: u8) -> Option<usize> {
        let base = match encoding & !FORMAT {
            0 => 0,
            TO_ITSELF => self.address(),
            _ => return None,
        };
        Some(base.wrapping_add(self.format(encoding)? as usize))
    }

    /// Passes over a pointer in an encoding of any meaning.
    pub(crate) fn skip_pointer(&mut self, encoding: u8) -> Option<()> {
        let is_known = encoding == OMITTED || encoding & RELATIVE <= 0x40;
        match encoding {
            _ if !is_known => None,
            OMITTED => Some(()),
            _ => self.format(encoding).map(|_| ()),
        }
    }

    fn format(&mut self, encoding: u8) -> Option<u64> {
        match encoding & FORMAT {
            0x00 | 0x04 | 0x0c => self.u64(),
            0x01 => self.uleb(),
            0x02 => self.u16().map(u64::from),
            0x03 => self.u32().map(u64::from),
            0x09 => self.sleb().map(|number| number as u64),
            0x0a => self.u16().map(|number| number as i16 as u64),
            0x0b => self.u32().map(|number| number as i32 as u64),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader, Segment, OMITTED};

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Segment { bytes, address: 0x1000 }.from(0x1000).unwrap()
    }

    #[test]
    fn numbers_are_little_endian_and_of_variable_length() {
        assert_eq!(reader(&[1, 2, 3, 4, 5]).u32(), Some(0x0403_0201));
        assert_eq!(reader(&[1, 2, 3]).u32(), None);
        let mut rest = reader(&[9, 1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff, 5]);
        assert_eq!(rest.u8(), Some(9));
        assert_eq!(
            [0, 1, 2, usize::MAX].map(|at| rest.nth_i32(at)),
            [Some(0x0403_0201), Some(-2), None, None]
        );
        assert_eq!(reader(&[0xe5, 0x8e, 0x26]).uleb(), Some(624_485));
        assert_eq!(reader(&[0x80, 0x80]).uleb(), None);
        assert_eq!(reader(&[0xc0, 0xbb, 0x78]).sleb(), Some(-123_456));
        assert_eq!(reader(&[0x3f]).sleb(), Some(63));
        assert_eq!(reader(&[0x40]).sleb(), Some(-64));
    }

    #[test]
    fn numbers_of_any_length_end() {
        let mut long = vec![0xff; 1_000];
        assert_eq!(reader(&long).uleb(), None);
        long.push(0x7f);
        assert_eq!(reader(&long).uleb(), Some(u64::MAX));
        assert_eq!(reader(&long).sleb(), Some(-1));
    }

    #[test]
    fn pointers_are_absolute_or_relative_to_themselves() {
        let bytes = [0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        assert_eq!(reader(&bytes).pointer(0x1b), Some(0x0ffe));
        assert_eq!(reader(&bytes).pointer(0x0a), Some(usize::MAX - 1));
        let mut later = reader(&[0, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!((later.u8(), later.pointer(0x1b)), (Some(0), Some(0x0fff)));
        assert_eq!(reader(&bytes).pointer(0x00), Some(0xffff_fffe));
        for encoding in [0x9b, 0x3b, 0x0d, 0x50, OMITTED] {
            assert_eq!(reader(&bytes).pointer(encoding), None, "{encoding:#x}");
        }
    }

    #[test]
    fn nothing_is_read_outside() {
        let segment = Segment { bytes: &[1, 2, 3, 4], address: 0x1000 };
        assert!(segment.from(0x0fff).is_none());
        assert!(segment.from(0x1005).is_none());
        assert!(segment.from(0x1004).unwrap().is_empty());
        let mut three = segment.from(0x1001).unwrap();
        assert!(three.part(4).is_none());
        assert!(three.part(u64::MAX).is_none());
        assert_eq!(three.part(2).unwrap().address(), 0x1001);
        assert_eq!((three.address(), three.u8(), three.u8()), (0x1003, Some(4), None));
    }
}
