//! What a file must be as a text: its lines are not too long.

const MAX_COLUMNS: usize = 100;

/// The numbers of the lines that are too long. An address has to stay in one line.
pub(crate) fn long_lines(text: &str) -> Vec<usize> {
    let is_long = |line: &str| line.chars().count() > MAX_COLUMNS && !line.contains("://");
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| is_long(line)).map(|(index, _)| index + 1).collect()
}
