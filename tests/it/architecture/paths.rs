//! The paths in a row of tokens: in `use` trees, in types, in expressions, and in macros' arguments.

use super::tokens::Token;

/// A path such as `crate::model::Row`; one for each leaf of a `use` tree.
#[derive(Debug)]
pub struct RustPath {
    pub segments: Vec<String>,
    pub line: usize,
    pub is_test: bool,
    pub inline_depth: usize,
}

/// Returns every path of two or more segments, and each leaf of every `use` tree.
pub fn paths(row: &[Token]) -> Vec<RustPath> {
    let mut found = Vec::new();
    let mut index = 0;
    while let Some(token) = row.get(index) {
        let continues = index > 0 && row[index - 1].text == "::" && !is_leading(row, index - 1);
        let starts = token.is_ident && !continues;
        let is_path = row.get(index + 1).is_some_and(|next| next.text == "::");
        let is_used = index > 0 && row[index - 1].text == "use";
        if starts && (is_path || is_used) {
            index = walk_path(row, index, &[], &mut found);
        } else {
            index += 1;
        }
    }
    found
}

/// True for the `::` of `::sqlx::query`, which continues nothing.
fn is_leading(row: &[Token], colons: usize) -> bool {
    colons == 0
        || !(row[colons - 1].is_ident || row[colons - 1].text == ">")
        || row[colons - 1].text == "use"
}

/// Reads one path or `use` tree from `start`, adds its leaves, and returns the index after it.
fn walk_path(row: &[Token], start: usize, prefix: &[String], found: &mut Vec<RustPath>) -> usize {
    let mut segments = prefix.to_vec();
    let mut index = start;
    let place = &row[start];
    while let Some(token) = row.get(index) {
        if token.text == "{" && index > start {
            return walk_group(row, index + 1, &segments, found);
        }
        if !(token.is_ident || token.text == "*") {
            break;
        }
        if token.text != "self" || segments.is_empty() {
            segments.push(token.text.clone());
        }
        index += 1;
        if row.get(index).is_none_or(|next| next.text != "::") {
            break;
        }
        index += 1;
    }
    let Token { line, is_test, inline_depth, .. } = *place;
    found.push(RustPath { segments, line, is_test, inline_depth });
    index
}

/// Reads the branches of `{a, b::c}` from behind the brace; returns the index after the closing one.
fn walk_group(row: &[Token], start: usize, prefix: &[String], found: &mut Vec<RustPath>) -> usize {
    let mut index = start;
    while let Some(token) = row.get(index) {
        match token.text.as_str() {
            "}" => return index + 1,
            "," => index += 1,
            "as" => index += 2,
            _ if token.is_ident || token.text == "*" => {
                index = walk_path(row, index, prefix, found);
            }
            _ => index += 1,
        }
    }
    index
}
