//! Cold: text with parts that a terminal may show in colour. A report is laid out once, as plain
//! text that knows the style of its parts; only who prints it decides whether codes are written.
//!
//! The styles are few, and go with a dark background as with a light one. What has to be read at
//! length has none, or is bold.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// What happened, and to what.
    Head,
    /// A number outside of its limit.
    Broken,
    /// A file and a line.
    Place,
    /// A line of the user's code.
    Code,
    /// What is looked at second.
    Detail,
    /// Lines of stacks: those of the user's frames stand out, marked by a `>`.
    Stacks,
}

/// The parameters of ECMA-48's code SGR: bold, faint, and colours. Cyan is not bold: many terminals
/// show that brighter, which is too bright on white.
const BOLD: &str = "1";
const BOLD_RED: &str = "1;31";
const CYAN: &str = "36";
const FAINT: &str = "2";

impl Style {
    /// This text in this style.
    pub(crate) fn of(self, text: &str) -> Styled {
        let mut styled = Styled::default();
        styled.push_in(self, text);
        styled
    }

    fn code(self, line: &str) -> &'static str {
        match self {
            Self::Head | Self::Code => BOLD,
            Self::Broken => BOLD_RED,
            Self::Place => CYAN,
            Self::Stacks if line.trim_start().starts_with("> ") => BOLD,
            Self::Stacks | Self::Detail => FAINT,
        }
    }
}

/// Text with the styles of its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Styled {
    plain: String,
    /// From the first to the last, none of them within another.
    parts: Vec<(Range<usize>, Style)>,
}

impl Styled {
    pub(crate) fn push(&mut self, text: &str) {
        self.plain.push_str(text);
    }

    pub(crate) fn push_in(&mut self, style: Style, text: &str) {
        self.push_with(style, |plain| plain.push_str(text));
    }

    /// Appends in one style what `push` appends.
    pub(crate) fn push_with(&mut self, style: Style, push: impl FnOnce(&mut String)) {
        let start = self.plain.len();
        push(&mut self.plain);
        self.parts.push((start..self.plain.len(), style));
    }

    /// Styles what was appended last from byte `start` on, if that begins with `text`: where lines
    /// are broken, it may not.
    pub(crate) fn style_if_there(&mut self, start: usize, text: &str, style: Style) {
        let end = start + text.len();
        if self.plain.get(start..end) == Some(text) {
            self.parts.push((start..end, style));
        }
    }

    pub(crate) fn append(&mut self, other: impl Into<Self>) {
        let (other, start) = (other.into(), self.plain.len());
        self.plain.push_str(&other.plain);
        let moved =
            |(part, style): (Range<usize>, Style)| (part.start + start..part.end + start, style);
        self.parts.extend(other.parts.into_iter().map(moved));
    }

    /// This text, and another one.
    pub(crate) fn then(mut self, other: impl Into<Self>) -> Self {
        self.append(other);
        self
    }

    /// Removes space at the end.
    pub(crate) fn trim_end(&mut self) {
        let end = self.plain.trim_end().len();
        self.plain.truncate(end);
        self.parts.retain(|(part, _)| part.start < end);
        if let Some((last, _)) = self.parts.last_mut() {
            last.end = last.end.min(end);
        }
    }

    /// In characters, each of which takes a column.
    pub(crate) fn width(&self) -> usize {
        self.plain.chars().count()
    }

    /// The text without codes.
    pub(crate) fn as_str(&self) -> &str {
        &self.plain
    }

    /// The text for a terminal. A code ends where its line does, so that lines can be cut out.
    pub(crate) fn coloured(&self) -> String {
        let (mut text, mut done) = (String::new(), 0);
        for (part, style) in &self.parts {
            text.push_str(&self.plain[done..part.start]);
            for line in self.plain[part.clone()].split_inclusive('\n') {
                let content = line.trim_end_matches('\n');
                if content.trim().is_empty() {
                    text.push_str(line);
                } else {
                    let (code, end) = (style.code(content), &line[content.len()..]);
                    text.push_str(&format!("\x1b[{code}m{content}\x1b[0m{end}"));
                }
            }
            done = part.end;
        }
        text.push_str(&self.plain[done..]);
        text
    }
}

impl From<&str> for Styled {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Styled {
    fn from(plain: String) -> Self {
        Self { plain, parts: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Style, Styled};

    #[test]
    fn a_part_stands_between_its_code_and_the_reset() {
        let check = |text: Styled, plain: &str, coloured: &str| {
            assert_eq!((text.as_str(), &*text.coloured()), (plain, coloured));
        };
        let row = || Styled::from("9 x ").then(Style::Place.of("a.rs:1")).then("  f");
        check(row(), "9 x a.rs:1  f", "9 x \x1b[36ma.rs:1\x1b[0m  f");
        let two = Style::Broken.of("+7").then(row());
        check(two, "+79 x a.rs:1  f", "\x1b[1;31m+7\x1b[0m9 x \x1b[36ma.rs:1\x1b[0m  f");
        check(
            Style::Detail.of("a\n\n  b\n"),
            "a\n\n  b\n",
            "\x1b[2ma\x1b[0m\n\n\x1b[2m  b\x1b[0m\n",
        );
        let stacks = Style::Stacks.of("    f at /c\n  > g at a.rs\n");
        let coloured = "\x1b[2m    f at /c\x1b[0m\n\x1b[1m  > g at a.rs\x1b[0m\n";
        check(stacks, "    f at /c\n  > g at a.rs\n", coloured);
        check(Style::Code.of(""), "", "");
    }

    #[test]
    fn space_at_the_end_goes_with_its_part() {
        let check = |mut text: Styled, coloured: &str| {
            text.trim_end();
            assert_eq!(text.coloured(), coloured);
        };
        check(Style::Code.of("a  ").then(" "), "\x1b[1ma\x1b[0m");
        check(Styled::from("a ").then(Style::Code.of("  ")).then("\n"), "a");
        check(Style::Code.of("a").then(" b \n"), "\x1b[1ma\x1b[0m b");
    }
}
