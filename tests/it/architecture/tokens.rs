//! Rust text as a flat row of tokens, and the paths in it. Comments and strings are out of the way.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// One token. `::` is one token; a literal's text is replaced by `"`.
#[derive(Clone, Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
    pub is_ident: bool,
    /// Within an item that is marked `#[cfg(test)]`.
    pub is_test: bool,
    /// How many inline modules (`mod name { .. }`) surround it.
    pub inline_depth: usize,
}

/// A path such as `crate::model::Row`; one for each leaf of a `use` tree.
#[derive(Debug)]
pub struct RustPath {
    pub segments: Vec<String>,
    pub line: usize,
    pub is_test: bool,
    pub inline_depth: usize,
}

/// Splits Rust text into tokens.
///
/// # Panics
/// When the text is not Rust.
pub fn tokens(text: &str) -> Vec<Token> {
    let stream = TokenStream::from_str(text).expect("the compiler accepted this file");
    let mut row = Vec::new();
    flatten(stream, Surroundings { is_test: false, inline_depth: 0 }, &mut row);
    row
}

#[derive(Clone, Copy)]
struct Surroundings {
    is_test: bool,
    inline_depth: usize,
}

fn flatten(stream: TokenStream, around: Surroundings, row: &mut Vec<Token>) {
    let mut here = around;
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut index = 0;
    while let Some(tree) = trees.get(index) {
        if is_cfg_test(tree, trees.get(index + 1)) {
            here.is_test = true;
        }
        match tree {
            TokenTree::Group(group) => {
                let is_module = is_inline_module(&trees, index);
                let inside = Surroundings {
                    inline_depth: here.inline_depth + usize::from(is_module),
                    ..here
                };
                flatten_group(group, inside, here, row);
                if group.delimiter() == Delimiter::Brace {
                    here = around; // The item that `cfg(test)` marked ends with its body.
                }
            }
            TokenTree::Punct(punct) => {
                let joined = punct.as_char() == ':'
                    && punct.spacing() == Spacing::Joint
                    && matches!(trees.get(index + 1), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                let text = if joined { "::".to_owned() } else { punct.as_char().to_string() };
                index += usize::from(joined);
                row.push(token(text, tree, false, here));
                if punct.as_char() == ';' {
                    here = around;
                }
            }
            TokenTree::Ident(ident) => row.push(token(ident.to_string(), tree, true, here)),
            TokenTree::Literal(_) => row.push(token("\"".to_owned(), tree, false, here)),
        }
        index += 1;
    }
}

fn flatten_group(group: &Group, inside: Surroundings, here: Surroundings, row: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    };
    let (open_line, close_line) = (group.span_open().start().line, group.span_close().start().line);
    row.push(delimiter(open, open_line, here));
    flatten(group.stream(), inside, row);
    row.push(delimiter(close, close_line, here));
}

fn delimiter(text: &str, line: usize, around: Surroundings) -> Token {
    let Surroundings { is_test, inline_depth } = around;
    Token { text: text.to_owned(), line, is_ident: false, is_test, inline_depth }
}

fn token(text: String, tree: &TokenTree, is_ident: bool, around: Surroundings) -> Token {
    let line = tree.span().start().line;
    Token { text, line, is_ident, is_test: around.is_test, inline_depth: around.inline_depth }
}

fn is_cfg_test(tree: &TokenTree, next: Option<&TokenTree>) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '#')
        && matches!(next, Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

fn is_inline_module(trees: &[TokenTree], brace: usize) -> bool {
    let before = |steps: usize| brace.checked_sub(steps).and_then(|index| trees.get(index));
    matches!(trees.get(brace), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
        && matches!(before(1), Some(TokenTree::Ident(_)))
        && matches!(before(2), Some(TokenTree::Ident(keyword)) if keyword == "mod")
}

/// Returns the names of the modules that live in files of their own, with whether they are tests.
pub fn declared_modules(row: &[Token]) -> Vec<(String, bool)> {
    row.windows(3)
        .filter(|window| window[0].text == "mod" && window[1].is_ident && window[2].text == ";")
        .map(|window| (window[1].text.clone(), window[1].is_test))
        .collect()
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
