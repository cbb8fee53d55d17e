//! Planted lines that are too long.

use crate::text::long_lines;

#[test]
fn a_line_of_more_than_100_columns_is_found() {
    let line = |columns| "ü".repeat(columns) + "\n";
    assert_eq!(long_lines(&(line(100) + &line(101) + "\n" + &line(102))), [2, 4]);
    assert_eq!(long_lines(&"ü".repeat(101)), [1], "without an end of the line");
}

#[test]
fn an_address_may_be_longer() {
    let address = format!("// See https://example.org/{}\n", "a".repeat(100));
    assert_eq!(long_lines(&address), [0; 0]);
}
