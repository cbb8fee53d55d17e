//! Made-up tables, with all that the format allows.

use crate::unwind_info::{encoding_at, Frame, Function, Processor};

/// A page: the offset from which it has functions, and each of them with its encoding.
struct Page {
    first: u32,
    functions: Vec<(u32, u32)>,
    is_compressed: bool,
}

fn words(into: &mut Vec<u8>, words: impl IntoIterator<Item = u32>) {
    into.extend(words.into_iter().flat_map(u32::to_le_bytes));
}

fn halves(into: &mut Vec<u8>, halves: impl IntoIterator<Item = usize>) {
    into.extend(halves.into_iter().flat_map(|half| (half as u16).to_le_bytes()));
}

/// The bytes of a table, whose functions end at `end`.
fn table(common: &[u32], pages: &[Page], end: u32) -> Vec<u8> {
    const HEADER: usize = 28;
    let index = HEADER + 4 * common.len();
    let mut bytes = Vec::new();
    let counts = [common.len(), index, 0, index, pages.len() + 1];
    words(&mut bytes, [1, HEADER as u32]);
    words(&mut bytes, counts.map(|count| count as u32));
    words(&mut bytes, common.iter().copied());
    let mut second = Vec::new();
    for page in pages {
        let at = index + 12 * (pages.len() + 1) + second.len();
        words(&mut bytes, [page.first, at as u32, 0]);
        put(&mut second, page, common);
    }
    words(&mut bytes, [end, 0, 0]);
    bytes.extend(second);
    bytes
}

fn put(into: &mut Vec<u8>, page: &Page, common: &[u32]) {
    let count = page.functions.len();
    if !page.is_compressed {
        words(into, [2]);
        halves(into, [8, count]);
        words(into, page.functions.iter().flat_map(|&(offset, encoding)| [offset, encoding]));
        return;
    }
    let is_own = |&encoding: &u32| !common.contains(&encoding);
    let own: Vec<u32> = page.functions.iter().map(|function| function.1).filter(is_own).collect();
    words(into, [3]);
    halves(into, [12, count, 12 + 4 * count, own.len()]);
    for &(offset, encoding) in &page.functions {
        let number = common.iter().chain(&own).position(|known| *known == encoding);
        let number = number.expect("it is one of the two") as u32;
        words(into, [(offset - page.first) | (number << 24)]);
    }
    words(into, own);
}

#[test]
fn pages_of_both_kinds_and_encodings_of_both_lists_are_found() {
    let page = |first: u32, is_compressed| Page {
        first,
        functions: (0..100).map(|at| (first + 16 * at, 0x0100_0000 + (first + at) % 7)).collect(),
        is_compressed,
    };
    let pages =
        [page(0x1000, true), page(0x2000, false), page(0x1_0000, true), page(0x9000_0000, false)];
    let common = [0x0100_0000, 0x0100_0003, 0x0100_0005];
    let table = table(&common, &pages, 0x9000_0800);
    for page in &pages {
        for &(offset, encoding) in &page.functions {
            for within in 0..16 {
                assert_eq!(encoding_at(&table, offset + within), Some(encoding));
            }
        }
    }
    // The last function of a page reaches to the next page.
    let last = pages[0].functions[99];
    assert_eq!(encoding_at(&table, 0x1fff), Some(last.1));
    for outside in [0, 0xfff, 0x9000_0800, u32::MAX] {
        assert_eq!(encoding_at(&table, outside), None, "{outside:x}");
    }
}

#[test]
fn what_is_no_table_has_no_entries() {
    let page = Page { first: 16, functions: vec![(16, 1), (32, 2)], is_compressed: true };
    let good = table(&[], &[page], 64);
    assert_eq!(encoding_at(&good, 40), Some(2));
    let with = |at: usize, value: u32| {
        let mut table = good.clone();
        table[at..at + 4].copy_from_slice(&value.to_le_bytes());
        encoding_at(&table, 40)
    };
    let page = good.len() - 12 - 2 * 4 - 2 * 4;
    assert_eq!(with(0, 2), None, "another version");
    assert_eq!(with(20, u32::MAX), None, "no index");
    assert_eq!(with(24, u32::MAX), None, "a longer index than there is");
    assert_eq!(with(24, 1), None, "no end");
    assert_eq!(with(24, 0), None, "nothing");
    assert_eq!(with(32, u32::MAX), None, "no page");
    assert_eq!(with(page, 4), None, "another kind of page");
    assert_eq!(with(page + 4, 0xffff_000c), None, "more functions than there are");
    assert_eq!(with(page + 8, 0x0000_0014), None, "no encodings");
    assert_eq!(encoding_at(&[], 0), None);
}

#[test]
fn encodings_say_what_functions_keep_where() {
    let x86_64 = |encoding| Function::of(encoding, Processor::X86_64);
    let arm64 = |encoding| Function::of(encoding, Processor::Arm64);
    let framed = |below, above| Some(Function::Framed(Frame { below, above }));
    assert_eq!(x86_64(0x0100_0000), framed(0, 0));
    assert_eq!(x86_64(0x5105_58d1), framed(40, 0), "with flags that are of no interest");
    assert_eq!(x86_64(0x01ff_0001), framed(2040, 0));
    assert_eq!(x86_64(0x0102_0249), framed(16, 16), "of four words, two lie above");
    assert_eq!(x86_64(0x0100_0006), None, "register 6");
    assert_eq!(x86_64(0x0105_7000), None, "register 7, as the last");
    assert_eq!(x86_64(0x0400_1234), Some(Function::InEhFrame(0x1234)));
    for other in [0, 0x0201_0000, 0x0301_0000, 0x0500_0000] {
        assert_eq!(x86_64(other), None);
    }
    assert_eq!(arm64(0x0400_0000), framed(0, 0));
    assert_eq!(arm64(0x0400_0f1f), framed(144, 0));
    assert_eq!(arm64(0x0400_0003), framed(32, 0));
    assert_eq!(arm64(0x03ff_ffff), Some(Function::InEhFrame(0xff_ffff)));
    for other in [0, 0x0200_1000, 0x0100_0000, 0x0500_0000] {
        assert_eq!(arm64(other), None);
    }
}
