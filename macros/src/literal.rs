//! Cold: reads the text of literals, which `proc_macro` only prints; called by the parsers.

/// The value of an integer literal without a suffix (`10`, `1_000`, `0xff`); `None` for any other
/// literal.
pub(crate) fn unsuffixed_integer(text: &str) -> Option<u128> {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        _ => (text, 10),
    };
    u128::from_str_radix(&digits.replace('_', ""), radix).ok()
}

/// Whether a literal can be the format string of a message: `"..."` or `r#"..."#`, not of bytes or
/// of C.
pub(crate) fn is_string(text: &str) -> bool {
    text.starts_with('"') || text.starts_with("r\"") || text.starts_with("r#")
}

#[cfg(test)]
mod tests {
    use super::{is_string, unsuffixed_integer};

    #[test]
    fn integers_without_a_suffix_have_a_value() {
        let check = |text, value| assert_eq!(unsuffixed_integer(text), value, "{text}");
        check("0", Some(0));
        check("10", Some(10));
        check("1_000", Some(1_000));
        check("0xf_F", Some(255));
        check("0o17", Some(15));
        check("0b101", Some(5));
        check("5_000_000_000", Some(5_000_000_000));
    }

    #[test]
    fn other_literals_have_none() {
        for text in ["10u64", "0xffu8", "0b1i8", "1.5", "1e3", "1.", "\"1\"", "'1'", "b'1'", "1_u8"]
        {
            assert_eq!(unsuffixed_integer(text), None, "{text}");
        }
    }

    #[test]
    fn a_message_is_a_plain_or_raw_string() {
        let check = |text, expected| assert_eq!(is_string(text), expected, "{text}");
        check(r#""len {}""#, true);
        check(r#"r"len""#, true);
        check(r###"r#"len"#"###, true);
        check(r#"b"len""#, false);
        check(r#"br"len""#, false);
        check(r#"c"len""#, false);
        check("'l'", false);
        check("1", false);
    }
}
