//! Aligned columns, as kubectl prints them.

/// A table of text: a head and rows of as many cells.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns a table with these column names and no rows.
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row. What would move a terminal's cursor is written out instead (`\u{1b}`): cells
    /// may hold words of a server or, where a person asked for them, values of a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    /// Returns whether the table has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the table as text, each line ended; the last column is not padded.
    pub fn render(&self) -> String {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> =
            (0..self.head.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut out = String::new();
        for row in all() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 3));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// Returns names and what they stand for, a pair a line, the second parts aligned.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 3;
    pairs.iter().map(|(name, text)| format!("{name:width$}{}\n", printable(text))).collect()
}

/// Returns the text with control characters written out.
pub fn printable(text: &str) -> String {
    let write = |c: char| match c.is_control() {
        true => c.escape_default().collect(),
        false => String::from(c),
    };
    text.chars().map(write).collect()
}

/// Returns a number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "READY"]);
        table.row(vec!["customers".into(), "True".into()]);
        table.row(vec!["é".into(), "False".into()]);

        assert_eq!(table.render(), "NAME        READY\ncustomers   True\né           False\n");
    }

    #[test]
    fn what_moves_the_cursor_is_written_out() {
        let mut table = Table::new(&["KEY"]);
        table.row(vec!["a\n\u{1b}[2Jé".into()]);

        assert_eq!(table.render(), "KEY\na\\n\\u{1b}[2Jé\n");
        assert_eq!(
            pairs(&[("key", "\r".into()), ("target", "x".into())]),
            "key      \\r\ntarget   x\n"
        );
    }

    #[test]
    fn thousands_are_grouped() {
        let texts: Vec<String> = [0, 999, 1_000, 1_234_567].map(grouped).to_vec();

        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
