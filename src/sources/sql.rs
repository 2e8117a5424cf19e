//! What the SQL sources share: names in quotes, and a look at the person's own text before it is
//! put into parentheses. Knows how strings and comments end, and nothing else of the language.

use super::error::{SourceError, SourceErrorKind};
use super::source::Model;

/// The quotes of a warehouse's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Escape strings, dollar quotes, nested comments.
    Postgres,
    /// Names in brackets and backticks too.
    Sqlite,
}

/// Returns `name` as a quoted identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the select that a model stands for, ready to be put between `(` and a line break with
/// `)`: one statement, its end marks blanked so that positions stay, comments kept.
///
/// # Errors
/// Where the text is empty, holds several statements, or closes what it never opened (a string,
/// a comment or a parenthesis): the parentheses around it would then not hold.
pub(super) fn select_of(model: &Model, dialect: Dialect) -> Result<String, SourceError> {
    match model {
        Model::Sql(text) => single_statement(text, dialect),
        Model::Table(name) => Ok(format!("select * from {}", table_name(name)?)),
    }
}

/// Returns line and column, both from 1, of the character at `index` from 0.
pub(super) fn line_and_column(text: &str, index: usize) -> (usize, usize) {
    text.chars().take(index).fold((1, 1), |(line, column), character| match character {
        '\n' => (line + 1, 1),
        _ => (line, column + 1),
    })
}

/// Parts are taken as they are written, as the catalog shows them; quotes around a part allow
/// dots within it.
fn table_name(name: &str) -> Result<String, SourceError> {
    let mut parts = vec![String::new()];
    let mut in_quotes = false;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if in_quotes && characters.next_if_eq(&'"').is_some() => append(&mut parts, '"'),
            '"' => in_quotes = !in_quotes,
            '.' if !in_quotes => parts.push(String::new()),
            other => append(&mut parts, other),
        }
    }
    if in_quotes || parts.iter().any(String::is_empty) || name.contains('\0') {
        return Err(refused(format!("model.table `{}` is not a name", name.escape_debug()))
            .with_hint("write it as schema.table"));
    }
    Ok(parts.iter().map(|part| quoted(part)).collect::<Vec<_>>().join("."))
}

fn append(parts: &mut [String], character: char) {
    if let Some(part) = parts.last_mut() {
        part.push(character);
    }
}

fn single_statement(text: &str, dialect: Dialect) -> Result<String, SourceError> {
    if let Some(at) = text.find('\0') {
        return Err(refused(format!("the query holds a NUL character at {}", place(text, at))));
    }
    let scan = Scanner { bytes: text.as_bytes(), dialect }.scan().map_err(|fault| match fault {
        Fault::Unclosed { what, at } => {
            refused(format!("the query opens {what} at {} and never closes it", place(text, at)))
        }
        Fault::ClosesTooMuch { at } => refused(format!(
            "the query closes a parenthesis at {} that it never opened",
            place(text, at)
        )),
    })?;
    let Some(last) = scan.last_word else {
        return Err(
            refused("the query is empty").with_hint("write one select statement into model.sql")
        );
    };
    if let Some(end) = scan.ends.iter().find(|end| **end < last) {
        return Err(refused(format!(
            "the query holds several statements: one ends at {}",
            place(text, *end)
        ))
        .with_hint("write one select statement; put what comes before it into a `with`"));
    }
    let mut ends = scan.ends.iter().copied().peekable();
    Ok(text
        .char_indices()
        .map(|(at, character)| if ends.next_if_eq(&at).is_some() { ' ' } else { character })
        .collect())
}

fn refused(message: impl Into<String>) -> SourceError {
    SourceError::new(SourceErrorKind::InvalidQuery, message)
}

/// Returns where byte `at` is, for a message.
pub(super) fn place(text: &str, at: usize) -> String {
    let (line, column) = line_and_column(text, text.get(..at).unwrap_or(text).chars().count());
    format!("line {line}, column {column}")
}

struct Scanner<'a> {
    bytes: &'a [u8],
    dialect: Dialect,
}

#[derive(Default)]
struct Scan {
    /// Where statements end.
    ends: Vec<usize>,
    /// Where the last thing begins that is neither space, comment nor end mark.
    last_word: Option<usize>,
}

enum Fault {
    Unclosed { what: &'static str, at: usize },
    ClosesTooMuch { at: usize },
}

impl Scanner<'_> {
    fn scan(&self) -> Result<Scan, Fault> {
        let mut scan = Scan::default();
        let mut open = Vec::new();
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            if let Some((what, end)) = self.quoted_or_comment(at) {
                let is_comment = what == "a comment";
                if !is_comment {
                    scan.last_word = Some(at);
                }
                at = end.ok_or(Fault::Unclosed { what, at })?;
                continue;
            }
            match byte {
                b';' => scan.ends.push(at),
                b'(' => open.push(at),
                b')' if open.pop().is_none() => return Err(Fault::ClosesTooMuch { at }),
                _ => {}
            }
            if byte != b';' && !byte.is_ascii_whitespace() {
                scan.last_word = Some(at);
            }
            at += 1;
        }
        match open.first() {
            Some(&at) => Err(Fault::Unclosed { what: "a parenthesis", at }),
            None => Ok(scan),
        }
    }

    /// Returns what begins at `at` if it is a string, a quoted name or a comment, and where it
    /// ends, `None` where it does not.
    fn quoted_or_comment(&self, at: usize) -> Option<(&'static str, Option<usize>)> {
        let next = self.bytes.get(at + 1).copied();
        let postgres = self.dialect == Dialect::Postgres;
        match self.bytes.get(at).copied()? {
            b'\'' => {
                let escapes = postgres && self.is_escape_string(at);
                Some(("a string", self.end_of_quoted(at, b'\'', escapes)))
            }
            b'"' => Some(("a quoted name", self.end_of_quoted(at, b'"', false))),
            b'`' if !postgres => Some(("a quoted name", self.end_of_quoted(at, b'`', false))),
            b'[' if !postgres => Some(("a quoted name", self.find(at + 1, b"]"))),
            b'-' if next == Some(b'-') => {
                Some(("a comment", Some(self.find(at, b"\n").unwrap_or(self.bytes.len()))))
            }
            b'/' if next == Some(b'*') => Some(("a comment", self.end_of_comment(at, postgres))),
            b'$' if postgres && !self.continues_a_word(at) => {
                let tag = self.dollar_tag(at)?;
                Some(("a dollar-quoted string", self.find(at + tag.len(), tag)))
            }
            _ => None,
        }
    }

    fn is_escape_string(&self, quote: usize) -> bool {
        quote > 0
            && matches!(self.bytes.get(quote - 1), Some(b'e' | b'E'))
            && !self.continues_a_word(quote - 1)
    }

    fn continues_a_word(&self, at: usize) -> bool {
        at > 0 && self.bytes.get(at - 1).is_some_and(|byte| is_word(*byte) || *byte == b'$')
    }

    fn end_of_quoted(&self, start: usize, quote: u8, backslashes: bool) -> Option<usize> {
        let mut at = start + 1;
        loop {
            match self.bytes.get(at)? {
                b'\\' if backslashes => at += 2,
                byte if *byte == quote && self.bytes.get(at + 1) == Some(&quote) => at += 2,
                byte if *byte == quote => return Some(at + 1),
                _ => at += 1,
            }
        }
    }

    fn end_of_comment(&self, start: usize, nested: bool) -> Option<usize> {
        let mut depth = 1;
        let mut at = start + 2;
        loop {
            match (self.bytes.get(at)?, self.bytes.get(at + 1)) {
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                (b'/', Some(b'*')) if nested => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
    }

    /// Returns `$tag$` if one begins at `at`.
    fn dollar_tag(&self, at: usize) -> Option<&[u8]> {
        let rest = self.bytes.get(at..)?;
        let len = rest.get(1..)?.iter().position(|byte| *byte == b'$')?;
        let tag = rest.get(1..=len)?;
        let is_tag =
            !tag.first().is_some_and(u8::is_ascii_digit) && tag.iter().all(|b| is_word(*b));
        if is_tag { rest.get(..len + 2) } else { None }
    }

    /// Returns where the first `needle` from `start` on ends.
    fn find(&self, start: usize, needle: &[u8]) -> Option<usize> {
        let rest = self.bytes.get(start..)?;
        let at = rest.windows(needle.len()).position(|window| window == needle)?;
        Some(start + at + needle.len())
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(text: &str) -> Result<String, String> {
        single_statement(text, Dialect::Postgres).map_err(|error| error.message)
    }

    #[test]
    fn end_marks_are_blanked_and_comments_stay() {
        for (text, expected) in [
            ("select 1;", "select 1 "),
            ("select 1 ; ;\n", "select 1    \n"),
            ("select 1; -- the; end", "select 1  -- the; end"),
            ("select ';' /* ; /* ; */ ; */ ;", "select ';' /* ; /* ; */ ; */  "),
            ("select $$;$$, $a$ ; $b$ ; $a$", "select $$;$$, $a$ ; $b$ ; $a$"),
            (r"select E'\';', 'a\' as b;", r"select E'\';', 'a\' as b "),
            ("select a$1$b, \"x;\"\"y\" from t", "select a$1$b, \"x;\"\"y\" from t"),
        ] {
            assert_eq!(postgres(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_text_that_would_escape_its_parentheses_is_refused_with_its_place() {
        for (text, expected) in [
            ("", "the query is empty"),
            (" -- nothing\n;", "the query is empty"),
            ("select 1;\n select 2", "several statements: one ends at line 1, column 9"),
            ("select 'it", "opens a string at line 1, column 8"),
            ("select 1 /* /* */", "opens a comment at line 1, column 10"),
            ("select ö, $x$ $y$", "opens a dollar-quoted string at line 1, column 11"),
            ("select 1) m; --", "closes a parenthesis at line 1, column 9"),
            ("select\n (1", "opens a parenthesis at line 2, column 2"),
            ("select 1\0", "NUL character at line 1, column 9"),
        ] {
            let message = postgres(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn sqlite_has_names_in_brackets_and_no_dollar_quotes() {
        let text = "select [a;b], `c;d`, $$ from t";

        assert_eq!(single_statement(text, Dialect::Sqlite).unwrap(), text);
    }

    #[test]
    fn table_names_are_quoted_part_by_part() {
        for (name, expected) in [
            ("customers", r#"select * from "customers""#),
            ("marts.Customers", r#"select * from "marts"."Customers""#),
            (r#"marts."a.b""c""#, r#"select * from "marts"."a.b""c""#),
            (r#"x" m; drop"#, ""),
        ] {
            let sql = select_of(&Model::Table(name.to_owned()), Dialect::Postgres);
            assert_eq!(sql.unwrap_or_default(), expected, "{name}");
        }
        for name in ["", "a..b", ".a", "\"a"] {
            assert!(
                select_of(&Model::Table(name.to_owned()), Dialect::Postgres).is_err(),
                "{name}"
            );
        }
    }
}
