//! The shape of a model's SQL: one statement that reads. No parser: the warehouse has one.

use crate::api::finding::Finding;

/// Words with which a statement that returns rows begins.
const READING_WORDS: [&str; 4] = ["select", "with", "values", "table"];

/// Returns what is wrong with the shape of a statement: empty, several, or one that doesn't read.
/// Comments, strings and quoted names are skipped in the common dialects' ways.
pub fn check_sql(path: &str, sql: &str) -> Option<Finding> {
    let outline = Outline::of(sql);
    // Dialects differ in what a backslash does in a string, so what follows one is uncertain.
    let is_certain = !sql.contains("\\'");
    if let Some(unclosed) = outline.unclosed
        && is_certain
    {
        return Some(Finding::error(path, format!("{unclosed} is never closed")));
    }
    let Some(first) = outline.statements.first() else {
        return Some(
            Finding::error(path, "the statement is empty")
                .hint("write one select with the columns that the Sync uses"),
        );
    };
    if outline.statements.len() > 1 && is_certain {
        let message = format!("there are {} statements, a model is one", outline.statements.len());
        return Some(Finding::error(path, message).hint("keep the select, take the others away"));
    }
    if READING_WORDS.contains(&first.as_str()) {
        return None;
    }
    Some(
        Finding::error(path, format!("the statement begins with `{first}`"))
            .hint("a model only reads: begin with select, with, values or table"),
    )
}

/// A text of SQL without comments and contents of strings: the first word of each statement.
struct Outline {
    /// In lower case; a statement that begins with no letter has what it begins with.
    statements: Vec<String>,
    /// What was still open at the end.
    unclosed: Option<&'static str>,
}

impl Outline {
    fn of(sql: &str) -> Self {
        let mut outline = Self { statements: Vec::new(), unclosed: None };
        let mut rest = sql;
        let mut in_statement = false;
        while let Some(letter) = rest.chars().next() {
            let skipped = if rest.starts_with("--") || (!in_statement && letter == '#') {
                Ok(skip_line(rest))
            } else if rest.starts_with("/*") {
                skip_comment(rest).ok_or("a comment")
            } else {
                match letter {
                    ';' => {
                        in_statement = false;
                        Ok(1)
                    }
                    _ if letter.is_whitespace() || (!in_statement && letter == '(') => {
                        Ok(letter.len_utf8())
                    }
                    _ => {
                        if !in_statement {
                            in_statement = true;
                            outline.statements.push(first_word(rest));
                        }
                        skip_token(rest, letter)
                    }
                }
            };
            match skipped.map(|length| rest.get(length..).unwrap_or_default()) {
                Ok(after) => rest = after,
                Err(unclosed) => {
                    outline.unclosed = Some(unclosed);
                    return outline;
                }
            }
        }
        outline
    }
}

fn skip_line(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |end| end + 1)
}

/// Returns the length of a block comment; comments nest, as in PostgreSQL.
fn skip_comment(rest: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0usize;
    loop {
        let ahead = rest.get(at..)?;
        if ahead.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if ahead.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += ahead.chars().next()?.len_utf8();
        }
    }
}

/// Returns the length of a string, a quoted name, a word or a sign.
fn skip_token(rest: &str, letter: char) -> Result<usize, &'static str> {
    match letter {
        '\'' | '"' | '`' => {
            let what = if letter == '\'' { "a string" } else { "a quoted name" };
            let inside = rest.get(1..).unwrap_or_default();
            inside.find(letter).map(|end| end + 2).ok_or(what)
        }
        '$' => match dollar_tag(rest) {
            Some(tag) => {
                let inside = rest.get(tag.len()..).unwrap_or_default();
                inside.find(tag).map(|end| end + 2 * tag.len()).ok_or("a dollar-quoted string")
            }
            None => Ok(1),
        },
        _ if is_word(letter) => {
            Ok(rest.find(|next| !is_word(next) && next != '$').unwrap_or(rest.len()))
        }
        _ => Ok(letter.len_utf8()),
    }
}

/// Returns `$tag$` if the text begins with one; `$1` is a parameter.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..end)?;
    let name = tag.trim_matches('$');
    let is_name = name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit());
    is_name.then_some(tag)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn first_word(rest: &str) -> String {
    let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
    let word: String = rest.chars().take(if end == 0 { 1 } else { end.min(40) }).collect();
    word.to_lowercase()
}
