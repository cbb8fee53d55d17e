//! Cold: the lines of which a report is made. They fit in a terminal of 80 columns, but for names
//! and lines of the user's code: what would be cut out of those is lost.

use crate::styled::Styled;

pub(crate) const WIDTH: usize = 80;

/// Of lines with names or code of the user's.
pub(crate) const CODE_WIDTH: usize = 100;

/// Lines below the call sites.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) first: Vec<Styled>,
    /// How to see more: they end the report. The last of them is a command.
    pub(super) last: Vec<Styled>,
}

/// Appends a line, without space at its end.
pub(crate) fn push_line(text: &mut Styled, line: impl Into<Styled>) {
    let mut line = line.into();
    line.trim_end();
    text.append(line);
    text.push("\n");
}

/// Appends lines, with an empty line before the first.
pub(super) fn push_notes(text: &mut Styled, notes: Vec<Styled>) {
    text.push(if notes.is_empty() { "" } else { "\n" });
    for note in notes {
        push_line(text, Styled::from("  ").then(note));
    }
}

/// Appends a line with one text at its left end and one at its right; two lines where they do not
/// fit.
pub(crate) fn push_ends(text: &mut Styled, left: impl Into<Styled>, right: impl Into<Styled>) {
    let (left, right) = (left.into(), right.into());
    match gap(&left, &right) {
        Some(gap) => push_line(text, left.then(gap).then(right)),
        None => {
            push_line(text, left);
            push_line(text, Styled::from("  ").then(right));
        }
    }
}

/// What stands between two texts, at the left and at the right end of one line, if they fit.
pub(crate) fn gap(left: &Styled, right: &Styled) -> Option<String> {
    let gap = WIDTH.checked_sub(left.width() + right.width()).filter(|gap| *gap > 1)?;
    Some(" ".repeat(gap))
}

/// Appends a paragraph in as many lines as it takes. They are indented by `indent` columns, all but
/// the first by `hanging` more. Code in backticks, which may be copied, is not broken.
pub(crate) fn push_paragraph(text: &mut Styled, indent: usize, hanging: usize, paragraph: &str) {
    let mut line = " ".repeat(indent - 1);
    let mut is_code = false;
    let is_between_words = |c: char| {
        is_code ^= c == '`';
        c.is_whitespace() && !is_code
    };
    for word in paragraph.split(is_between_words).filter(|word| !word.is_empty()) {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push_line(text, line);
            line = " ".repeat(indent + hanging - 1);
        }
        line.push(' ');
        line.push_str(word);
    }
    push_line(text, line);
}

#[cfg(test)]
mod tests {
    use super::{push_ends, push_paragraph, WIDTH};
    use crate::styled::Styled;

    #[test]
    fn a_line_is_as_wide_as_the_report_or_two() {
        let check = |left: usize, right: usize, expected: &[usize]| {
            let mut text = Styled::default();
            push_ends(&mut text, "l".repeat(left), "r".repeat(right));
            let text = text.as_str();
            assert!(text.ends_with('\n'));
            let widths: Vec<_> = text.lines().map(str::len).collect();
            assert_eq!(widths, expected, "{left} and {right}");
        };
        check(10, 10, &[WIDTH]);
        check(40, 38, &[WIDTH]);
        check(40, 39, &[40, 2 + 39]);
        check(120, 10, &[120, 2 + 10]);
    }

    #[test]
    fn a_paragraph_is_broken_between_words() {
        let mut text = Styled::default();
        push_paragraph(&mut text, 2, 4, &"word ".repeat(40));
        let text = text.as_str();
        let widths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(widths, [76, 80, 55]);
        assert!(text.lines().skip(1).all(|line| line.starts_with("      word")), "{text}");
        let mut text = Styled::default();
        push_paragraph(&mut text, 2, 0, &format!("{}`some = 1`  there", "word ".repeat(14)));
        assert_eq!(text.as_str(), format!("  {}\n  `some = 1` there\n", ["word"; 14].join(" ")));
    }
}
