//! Cold: strings of JSON (RFC 8259), for DHAT's files and for `MOD_ALLOC_REPORT`.

/// Appends `text` as a string. What JSON does not allow in a string is escaped.
pub(crate) fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            '\r' => json.push_str("\\r"),
            '\0'..='\x1f' => json.push_str(&format!("\\u{:04x}", c as u32)),
            _ => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::push_string;

    #[test]
    fn a_string_is_escaped_where_it_must_be() {
        let check = |text, expected| {
            let mut json = String::new();
            push_string(&mut json, text);
            assert_eq!(json, expected);
        };
        check("", r#""""#);
        check(
            "core::fmt (a/b.rs:1:2) µ \u{7f} 日本 😀",
            "\"core::fmt (a/b.rs:1:2) µ \u{7f} 日本 😀\"",
        );
        check(r#"C:\x "y""#, r#""C:\\x \"y\"""#);
        check("\0\x01\x08\t\n\x0b\x0c\r\x1f", r#""\u0000\u0001\u0008\t\n\u000b\u000c\r\u001f""#);
    }
}
