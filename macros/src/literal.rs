//! Cold: reads the text of literals, since `proc_macro` has no more of them; called by the parsers.

/// The value of an integer literal without a suffix (`10`, `1_000`, `0xff`); `None` for any other
/// literal.
pub(crate) fn unsuffixed_integer(text: &str) -> Option<u128> {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        _ => (text, 10),
    };
    let mut value = None;
    for digit in digits.chars().filter(|digit| *digit != '_') {
        let higher = value.unwrap_or(0_u128).checked_mul(u128::from(radix))?;
        value = Some(higher.checked_add(u128::from(digit.to_digit(radix)?))?);
    }
    value
}

/// Whether a literal is an integer, with or without a suffix.
pub(crate) fn is_integer(text: &str) -> bool {
    let types =
        ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
    let suffix = types.iter().find(|suffix| text.ends_with(**suffix)).map_or(0, |ty| ty.len());
    unsuffixed_integer(&text[..text.len() - suffix]).is_some()
}

/// Whether a literal can be the format string of a message: `"..."` or `r#"..."#`, not of bytes or
/// of C.
pub(crate) fn is_string(text: &str) -> bool {
    text.starts_with('"') || text.starts_with("r\"") || text.starts_with("r#")
}

#[cfg(test)]
mod tests {
    use super::{is_integer, is_string, unsuffixed_integer};

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
    fn integers_may_have_a_suffix() {
        for text in ["10", "1_000", "0xff", "10u64", "0xffu8", "0b1i8", "1_u8", "3usize", "3i128"] {
            assert!(is_integer(text), "{text}");
        }
        for text in ["1.5", "1e3", "1.", "\"1\"", "'1'", "b'1'", "1f32", "1u7", "u8", "true"] {
            assert!(!is_integer(text), "{text}");
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
