//! A parser of untrusted input, and the two budgets that keep it honest: `cargo run --example
//! packet_parser`, `cargo test --example packet_parser`. No packet makes it request a block much
//! larger than the packet, whatever its fields claim; and a long packet takes no more memory for
//! each byte than a short one. (`hostile_length` and `growth` show parsers that break them.)

use mod_alloc::{alloc_budget, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

/// A packet is a sequence of records: two bytes of length, which is little-endian, then as many
/// bytes of UTF-8.
#[derive(Debug, PartialEq)]
enum ParseError {
    /// A length of more than what follows.
    TooLong {
        claimed: usize,
        left: usize,
    },
    NotUtf8,
}

/// The budget is in the signature, where whoever changes the parser sees it, and holds in each run
/// of the program.
#[alloc_budget(max_block_bytes = 32 * packet.len() + 128)]
fn parse(packet: &[u8]) -> Result<Vec<String>, ParseError> {
    let mut records = Vec::new();
    let mut rest = packet;
    while let [low, high, after @ ..] = rest {
        let claimed = usize::from(u16::from_le_bytes([*low, *high]));
        // Looked at before anything is reserved.
        let too_long = ParseError::TooLong { claimed, left: after.len() };
        let text = after.get(..claimed).ok_or(too_long)?;
        records.push(std::str::from_utf8(text).map_err(|_| ParseError::NotUtf8)?.to_string());
        rest = &after[claimed..];
    }
    Ok(records)
}

fn main() {
    println!("{:?}", parse(b"\x03\0one\x03\0two"));
    println!("{:?}", parse(b"\xff\xffone"));
}

#[cfg(test)]
mod tests {
    use mod_alloc::assert_growth;

    use super::{parse, ParseError};

    #[test]
    fn a_hostile_length_reserves_nothing() {
        let error = ParseError::TooLong { claimed: 0xffff, left: 3 };
        assert_eq!(parse(b"\xff\xffone"), Err(error));
    }

    #[test]
    fn memory_is_linear_in_the_records_and_in_their_length() {
        assert_growth!(max = O(n), max_bytes = O(n), |n| {
            let packet = b"\x03\0one".repeat(n);
            move || parse(&packet).unwrap()
        });
        assert_growth!(max = O(1), max_bytes = O(n), |n| {
            let mut packet = u16::try_from(n).unwrap().to_le_bytes().to_vec();
            packet.resize(2 + n, b'x');
            move || parse(&packet).unwrap()
        });
    }
}
