//! Hot: finds the entry of an address through `.eh_frame_hdr`, the sorted table that linkers write
//! beside `.eh_frame` (Linux Standard Base, "The .eh_frame_hdr section").

use super::bytes::{Segment, OMITTED, TABLE_ENTRY};

/// The table of a module's functions.
#[derive(Clone, Copy)]
pub(crate) struct Functions<'a> {
    /// The address of the header.
    pub(super) header: usize,
    /// Of each function, where it starts and where its entry is, both relative to the header.
    pub(super) rows: &'a [[[u8; 4]; 2]],
}

impl<'a> Functions<'a> {
    /// No functions where the header is not understood.
    pub(crate) fn read(segment: Segment<'a>, header: usize) -> Self {
        Self { header, rows: rows(segment, header).unwrap_or_default() }
    }

    /// The address of the frame description entry with the greatest start that is not above `pc`.
    /// The entry says itself where it ends.
    pub(crate) fn entry_of(self, pc: usize) -> Option<usize> {
        let Self { header, rows } = self;
        let wanted = pc.wrapping_sub(header) as isize;
        if wanted != wanted as i32 as isize {
            return None;
        }
        let (mut low, mut high) = (0, rows.len());
        while low < high {
            let middle = low.wrapping_add(high) / 2;
            // No panic: less than `high`, which is never more than the number of rows.
            let start = i32::from_le_bytes(rows[middle][0]);
            if start as isize <= wanted {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        if low == 0 {
            return None;
        }
        // No panic: likewise.
        let entry = i32::from_le_bytes(rows[low.wrapping_sub(1)][1]);
        Some(header.wrapping_add(entry as isize as usize))
    }
}

fn rows(segment: Segment<'_>, header: usize) -> Option<&[[[u8; 4]; 2]]> {
    let mut reader = segment.from(header);
    let version = reader.u8();
    let (eh_frame, count, table) = (reader.u8(), reader.u8(), reader.u8());
    if version != 1 || count == OMITTED || table != TABLE_ENTRY {
        return None;
    }
    reader.skip_pointer(eh_frame);
    let count = reader.pointer(count);
    if reader.has_failed() {
        return None;
    }
    reader.rows().get(..count)
}

#[cfg(test)]
mod tests {
    use super::{Functions, Segment};

    const HEADER: usize = 0x1000;

    fn header(count: u32, rows: &[(i32, i32)]) -> Vec<u8> {
        let mut bytes = vec![1, 0x1b, 0x03, 0x3b, 0, 0, 0, 0];
        bytes.extend(count.to_le_bytes());
        for (start, entry) in rows {
            bytes.extend(start.to_le_bytes());
            bytes.extend(entry.to_le_bytes());
        }
        bytes
    }

    fn find_in(bytes: &[u8], pc: usize) -> Option<usize> {
        Functions::read(Segment { bytes, address: HEADER }, HEADER).entry_of(pc)
    }

    #[test]
    fn the_last_function_that_starts_at_or_before_the_address_is_found() {
        let rows: Vec<_> = (0..100).map(|i| (-0x800 + 0x10 * i, 0x2000 + 0x20 * i)).collect();
        for count in 1..=100_usize {
            let bytes = header(count as u32, &rows[..count]);
            assert_eq!(find_in(&bytes, 0x7ff), None);
            for row in 0..count {
                for within in [0, 1, 0xf] {
                    let found = find_in(&bytes, 0x800 + 0x10 * row + within);
                    assert_eq!(found, Some(0x3000 + 0x20 * row), "{row} of {count}");
                }
            }
        }
    }

    #[test]
    fn an_empty_or_truncated_table_finds_nothing() {
        let bytes = header(2, &[(0, 0x100), (0x10, 0x120)]);
        assert!(find_in(&bytes, HEADER + 0x10).is_some());
        for length in 0..bytes.len() {
            assert_eq!(find_in(&bytes[..length], HEADER + 0x10), None, "{length}");
        }
        assert_eq!(find_in(&header(0, &[]), HEADER), None);
        assert_eq!(find_in(&header(u32::MAX, &[(0, 0x100)]), HEADER), None);
    }

    #[test]
    fn other_versions_and_encodings_find_nothing() {
        for (at, value) in [(0, 2), (1, 0x55), (2, 0xff), (2, 0x83), (3, 0x1b), (3, 0xff)] {
            let mut bytes = header(1, &[(0, 0x100)]);
            bytes[at] = value;
            assert_eq!(find_in(&bytes, HEADER), None, "{at} {value:#x}");
        }
    }

    #[test]
    fn addresses_out_of_reach_find_nothing() {
        let bytes = header(1, &[(0, 0x100)]);
        for pc in [HEADER + (1 << 31), HEADER + (1 << 32), usize::MAX, 0] {
            assert_eq!(find_in(&bytes, pc), None, "{pc:#x}");
        }
    }
}
