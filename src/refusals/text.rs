//! Hot: `Text`, words and numbers in memory of a fixed size. What finds no room is left out.

use crate::sys::stderr;

pub(super) struct Text {
    bytes: [u8; ROOM],
    len: usize,
}

/// For names and paths of the usual length, on a stack that may be a coroutine's.
const ROOM: usize = 1024;

/// As many as the largest number has.
const DIGITS: usize = 20;

impl Text {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; ROOM], len: 0 }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.push_bytes(text.as_bytes())
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for (to, byte) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *to = *byte;
            self.len += 1;
        }
        self
    }

    /// `1234567` as `1234567`.
    pub(super) fn push_number(&mut self, number: u64) -> &mut Self {
        self.push_digits(number, false)
    }

    /// `1234567` as `1,234,567`.
    pub(super) fn push_grouped(&mut self, number: u64) -> &mut Self {
        self.push_digits(number, true)
    }

    fn push_digits(&mut self, number: u64, is_grouped: bool) -> &mut Self {
        let (mut digits, mut rest, mut count) = ([0; DIGITS], number, 0);
        for digit in &mut digits {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if rest == 0 {
                break;
            }
        }
        for (at, digit) in digits.iter().enumerate().take(count).rev() {
            self.push_bytes(&[*digit]);
            if is_grouped && at > 0 && at % 3 == 0 {
                self.push(",");
            }
        }
        self
    }

    /// Says it on stderr.
    pub(super) fn say(&self) {
        stderr::say(self.bytes.get(..self.len).unwrap_or(&self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, ROOM};

    fn text(push: impl FnOnce(&mut Text) -> &mut Text) -> String {
        let mut text = Text::new();
        push(&mut text);
        String::from_utf8(text.bytes[..text.len].to_vec()).expect("text")
    }

    #[test]
    fn numbers_are_written_as_the_report_does() {
        for number in [0, 7, 10, 999, 1_000, 65_536, 1 << 40, u64::MAX] {
            let grouped = text(|text| text.push("a ").push_grouped(number).push(" b"));
            assert_eq!(grouped, format!("a {} b", crate::number::grouped(number)));
            assert_eq!(text(|text| text.push_number(number)), number.to_string());
        }
    }

    #[test]
    fn what_finds_no_room_is_left_out() {
        let long = "x".repeat(ROOM - 1);
        assert_eq!(text(|text| text.push(&long).push("ab").push("c")), format!("{long}a"));
    }
}
