//! The Rust files of the package, reached the way the compiler reaches them: through `mod` lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::{Token, declared_modules, tokens};
use super::{Finding, assert_none, root};

/// The files that the compiler starts from; benches have one each.
const CRATE_ROOTS: [&str; 3] = ["src/lib.rs", "src/main.rs", "tests/it/main.rs"];

/// One file that is compiled.
pub struct RustFile {
    /// From the package's root, with `/`.
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
    /// The whole file is test code.
    pub is_test: bool,
    /// The modules that it declares in files of their own.
    pub modules: Vec<String>,
}

impl RustFile {
    pub fn parse(path: &str, text: &str, is_test: bool) -> Self {
        let tokens = tokens(text);
        let modules = declared_modules(&tokens).into_iter().map(|(name, _)| name).collect();
        Self { path: path.to_owned(), text: text.to_owned(), tokens, is_test, modules }
    }

    /// Returns the room: the first folder or file below `src`. Nothing for files elsewhere.
    pub fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        let first = inside.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// True for the file that a room starts with, where `super` is the crate.
    pub fn is_room_root(&self) -> bool {
        let inside = self.path.strip_prefix("src/").unwrap_or_default();
        !inside.contains('/') || inside.split('/').skip(1).eq(["mod.rs"])
    }

    /// Returns the text of one line, counted from 1.
    pub fn line(&self, number: usize) -> &str {
        self.text.lines().nth(number - 1).unwrap_or_default()
    }
}

/// Returns all files that are compiled, and findings for `mod` lines that lead nowhere.
pub fn compiled() -> Vec<RustFile> {
    let mut files = Vec::new();
    let benches = on_disk("benches");
    for start in CRATE_ROOTS.into_iter().map(str::to_owned).chain(benches) {
        visit(&start, !start.starts_with("src/"), &mut files);
    }
    files
}

fn visit(path: &str, is_test: bool, files: &mut Vec<RustFile>) {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|err| panic!("{path}: {err}"));
    let file = RustFile::parse(path, &text, is_test);
    let declared = declared_modules(&file.tokens);
    let borrows = text.contains("#[path = ");
    files.push(file);
    for (name, is_test_module) in declared {
        let is_test = is_test || is_test_module || name == "tests";
        match module_file(path, &name) {
            Some(file) => visit(&file, is_test, files),
            // A module borrowed by its path from the tests is judged there.
            None => assert!(borrows, "{path}: no file for `mod {name}`"),
        }
    }
}

/// Returns the file of a module that is declared in the file at `path`.
fn module_file(path: &str, name: &str) -> Option<String> {
    let path = Path::new(path);
    let is_root = CRATE_ROOTS.iter().any(|start| Path::new(start) == path);
    let folder = if is_root || path.ends_with("mod.rs") {
        path.parent().expect("a file has a folder").to_owned()
    } else {
        path.with_extension("")
    };
    let candidates = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
    let file = candidates.iter().find(|file| root().join(file).is_file())?;
    Some(file.to_string_lossy().into_owned())
}

/// Returns the Rust files below a folder, whether compiled or not.
fn on_disk(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root().join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[test]
fn every_rust_file_is_reached_by_a_mod_line() {
    let compiled: BTreeSet<String> = compiled().into_iter().map(|file| file.path).collect();
    let present = on_disk("src").into_iter().chain(on_disk("tests/it"));

    assert!(compiled.len() > CRATE_ROOTS.len(), "no `mod` line was followed");
    assert_none(
        present
            .filter(|path| !compiled.contains(path))
            .map(|path| {
                Finding::new(&path, 1, "is compiled by nobody: add its `mod` line or remove it")
            })
            .collect(),
    );
}
