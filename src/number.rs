//! Cold: numbers as people read them.

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As it is written in Rust: `12_345`, but `4096`.
pub(crate) fn in_rust(number: u64) -> String {
    match number {
        ..=9_999 => number.to_string(),
        _ => grouped(number).replace(',', "_"),
    }
}

/// As [`grouped`], with a sign if it is negative.
pub(super) fn signed(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}

/// `1 run`, `2 runs`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped, in_rust, signed};

    #[test]
    fn thousands_are_separated() {
        let check = |number, expected: &str| assert_eq!(grouped(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(123_456, "123,456");
        check(u64::MAX, "18,446,744,073,709,551,615");
        assert_eq!((&*in_rust(4_096), &*in_rust(1_000_000)), ("4096", "1_000_000"));
        assert_eq!((signed(-1_234), signed(5)), ("-1,234".into(), "5".into()));
        assert_eq!(signed(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(0, "run"), "0 runs");
        assert_eq!(counted(2_000, "byte"), "2,000 bytes");
    }
}
