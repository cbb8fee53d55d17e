//! Tables of plain text. The first column is aligned to the left, the others to the right.

use std::fmt;

pub(crate) struct Table {
    title: &'static str,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// `title` may have several lines.
    pub(crate) fn new<'a>(title: &'static str, header: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = Self { title, rows: Vec::new() };
        table.row("", header.into_iter().map(str::to_owned));
        table
    }

    pub(crate) fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let mut row = vec![name.to_owned()];
        row.extend(cells);
        self.rows.push(row);
    }

    /// The table in Markdown, without its title.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let (header, rows) = self.rows.split_first().expect("every table has a header");
        let rule = format!("|{}\n", "---|".repeat(header.len()));
        let rows: Vec<_> = rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}{}", line(header), rows.concat())
    }

    /// The length of the longest cell of each column.
    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        widths
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.title)?;
        let widths = self.widths();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line += &match column {
                    0 => format!("  {cell:<width$}"),
                    _ => format!("  {cell:>width$}"),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
