//! Cold: lines of at most 100 columns, of which a report is made.

pub(crate) const WIDTH: usize = 100;

/// Lines below the call sites.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) first: Vec<String>,
    /// How to see more: they end the report. The last of them is a command.
    pub(super) last: Vec<String>,
}

/// Appends a line, without space at its end.
pub(crate) fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Appends lines, with an empty line before the first.
pub(super) fn push_notes(text: &mut String, notes: &[String]) {
    text.push_str(if notes.is_empty() { "" } else { "\n" });
    for note in notes {
        push_line(text, &format!("  {note}"));
    }
}

/// Appends a line with one text at its left end and one at its right; two lines where they do not
/// fit.
pub(crate) fn push_ends(text: &mut String, left: &str, right: &str) {
    match joined(left, right) {
        Some(line) => push_line(text, &line),
        None => {
            push_line(text, left);
            push_line(text, &format!("  {right}"));
        }
    }
}

/// One line with both texts, at its left and at its right end, if they fit.
pub(crate) fn joined(left: &str, right: &str) -> Option<String> {
    let used = left.chars().count() + right.chars().count();
    let gap = WIDTH.checked_sub(used).filter(|gap| *gap > 1)?;
    Some(format!("{left}{:gap$}{right}", ""))
}

/// Appends a paragraph in as many lines as it takes. They are indented by `indent` columns, all but
/// the first by `hanging` more.
pub(crate) fn push_paragraph(text: &mut String, indent: usize, hanging: usize, paragraph: &str) {
    let mut line = " ".repeat(indent - 1);
    for word in paragraph.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            push_line(text, &line);
            line = " ".repeat(indent + hanging - 1);
        }
        line.push(' ');
        line.push_str(word);
    }
    push_line(text, &line);
}

#[cfg(test)]
mod tests {
    use super::{push_ends, push_paragraph, WIDTH};

    #[test]
    fn a_line_is_as_wide_as_the_report_or_two() {
        let check = |left: usize, right: usize, expected: &[usize]| {
            let mut text = String::new();
            push_ends(&mut text, &"l".repeat(left), &"r".repeat(right));
            assert!(text.ends_with('\n'));
            let widths: Vec<_> = text.lines().map(str::len).collect();
            assert_eq!(widths, expected, "{left} and {right}");
        };
        check(10, 10, &[WIDTH]);
        check(60, 38, &[WIDTH]);
        check(60, 39, &[60, 2 + 39]);
        check(120, 10, &[120, 2 + 10]);
    }

    #[test]
    fn a_paragraph_is_broken_between_words() {
        let mut text = String::new();
        push_paragraph(&mut text, 2, 4, &"word ".repeat(40));
        let widths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(widths, [96, 100, 15]);
        assert!(text.lines().skip(1).all(|line| line.starts_with("      word")), "{text}");
    }
}
