//! Rust text as a flat row of tokens. Comments are gone, and literals keep no text, so that what
//! looks like code in them is not judged. Knows the words of the language, not its grammar.

/// One token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The word or sign; `::` is one token; a literal's is `"`, a lifetime's `'`.
    pub text: String,
    pub line: usize,
    pub is_ident: bool,
    /// Within an item that is marked `#[cfg(test)]`.
    pub is_test: bool,
    /// How many inline modules (`mod name { .. }`) surround it.
    pub inline_depth: usize,
}

/// Splits Rust text that the compiler accepts into tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut scanner = Scanner { rest: text, line: 1 };
    let mut row = Vec::new();
    while let Some(token) = scanner.next_token() {
        row.push(token);
    }
    mark_tests(&mut row);
    mark_inline_modules(&mut row);
    row
}

/// Returns the names of the modules that live in files of their own, with whether they are tests.
pub fn declared_modules(row: &[Token]) -> Vec<(String, bool)> {
    row.windows(3)
        .filter(|window| window[0].text == "mod" && window[1].is_ident && window[2].text == ";")
        .map(|window| (window[1].text.clone(), window[1].is_test))
        .collect()
}

/// What is left of the text, and the line where it starts.
struct Scanner<'t> {
    rest: &'t str,
    line: usize,
}

impl Scanner<'_> {
    fn next_token(&mut self) -> Option<Token> {
        self.skip_blanks_and_comments();
        let line = self.line;
        let first = self.rest.chars().next()?;
        let (length, text) = match literal_length(self.rest) {
            Some(length) => (length, "\""),
            None if first == '\'' => (1 + word_length(&self.rest[1..]), "'"),
            None if self.rest.starts_with("r#") => (2 + word_length(&self.rest[2..]), ""),
            None if self.rest.starts_with("::") => (2, "::"),
            None => (word_length(self.rest).max(first.len_utf8()), ""),
        };
        let written = &self.rest[..length];
        let text = if text.is_empty() { written.trim_start_matches("r#") } else { text };
        let is_ident = text.starts_with(is_word);
        let token =
            Token { text: text.to_owned(), line, is_ident, is_test: false, inline_depth: 0 };
        self.advance(length);
        Some(token)
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let blanks = self.rest.len() - self.rest.trim_start().len();
            let comment = match self.rest.get(blanks..blanks + 2) {
                Some("//") => self.rest[blanks..].find('\n').unwrap_or(self.rest.len() - blanks),
                Some("/*") => block_comment_length(&self.rest[blanks..]),
                _ => 0,
            };
            self.advance(blanks + comment);
            if comment == 0 {
                return;
            }
        }
    }

    fn advance(&mut self, length: usize) {
        let (passed, rest) = self.rest.split_at(length);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn word_length(text: &str) -> usize {
    text.find(|letter| !is_word(letter)).unwrap_or(text.len())
}

/// Block comments nest.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut index = 0;
    while index < text.len() {
        match text.as_bytes().get(index..index + 2) {
            Some(b"/*") => (depth, index) = (depth + 1, index + 2),
            Some(b"*/") => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index
}

/// Returns the length of the string, character or number at the start of the text, if there is one.
fn literal_length(text: &str) -> Option<usize> {
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return Some(word_length(text));
    }
    let prefix = ["br", "cr", "b", "c", "r"].into_iter().find(|prefix| text.starts_with(prefix));
    let body = &text[prefix.map_or(0, str::len)..];
    let start = text.len() - body.len();
    if prefix.is_some_and(|prefix| prefix.ends_with('r')) {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let opened = body[hashes..].strip_prefix('"')?;
        let closing = format!("\"{}", "#".repeat(hashes));
        return Some(start + hashes + 1 + opened.find(&closing)? + closing.len());
    }
    if let Some(opened) = body.strip_prefix('"') {
        return Some(start + 1 + quoted_length(opened, '"')?);
    }
    let opened = body.strip_prefix('\'')?;
    // A letter that isn't closed right behind it is a lifetime.
    let mut letters = opened.chars();
    let is_char = letters.next()? == '\\' || letters.next()? == '\'';
    is_char.then(|| quoted_length(opened, '\''))?.map(|length| start + 1 + length)
}

/// Returns the length up to and with the closing quote, stepping over escapes.
fn quoted_length(opened: &str, quote: char) -> Option<usize> {
    let mut letters = opened.char_indices();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// Returns the index of the delimiter that closes the one at `open`.
fn closing(row: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in row.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    row.len() - 1
}

/// Returns the index of the last token of the item that starts at `start`: its `;` or its body's end.
fn item_end(row: &[Token], start: usize) -> usize {
    let mut index = start;
    while let Some(token) = row.get(index) {
        match token.text.as_str() {
            ";" => return index,
            "{" => return closing(row, index),
            "(" | "[" => index = closing(row, index) + 1,
            _ => index += 1,
        }
    }
    row.len() - 1
}

fn reads(row: &[Token], start: usize, words: &[&str]) -> bool {
    row.get(start..start + words.len()).is_some_and(|tokens| {
        tokens.iter().map(|token| token.text.as_str()).eq(words.iter().copied())
    })
}

fn mark_tests(row: &mut [Token]) {
    for start in 0..row.len() {
        if reads(row, start, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            let end = item_end(row, start);
            row[start..=end].iter_mut().for_each(|token| token.is_test = true);
        }
    }
}

fn mark_inline_modules(row: &mut [Token]) {
    for start in 0..row.len() {
        if row[start].text == "mod" && row.get(start + 2).is_some_and(|token| token.text == "{") {
            let end = closing(row, start + 2);
            row[start + 2..=end].iter_mut().for_each(|token| token.inline_depth += 1);
        }
    }
}

fn texts(text: &str) -> String {
    tokens(text).into_iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
}

#[test]
fn literals_and_comments_are_told_from_code() {
    for (text, expected) in [
        (r#"a("x::y \" z", b)"#, r#"a ( " , b )"#),
        (r##"r#"one " two"# r"x" br#"y"# c"z" r#type"##, r#"" " " " type"#),
        (r"'a' '\'' '\u{1F600}' 'é' b'x' &'a str <'_>", r#"" " " " " & ' str < ' >"#),
        ("a /* b /* c */ d */ e // f\ng", "a e g"),
        ("1.5e3 0..=9 1_u8.max(x)", r#"" . " " . . = " " . max ( x )"#),
        ("crate::a::<B>()", "crate :: a :: < B > ( )"),
        ("\"é\" brand crate_ b", "\" brand crate_ b"),
    ] {
        assert_eq!(texts(text), expected, "{text}");
    }
    let lines: Vec<usize> =
        tokens("a\n\"b\n\" c /*\n*/ d").iter().map(|token| token.line).collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}
