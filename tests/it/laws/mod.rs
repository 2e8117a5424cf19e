//! Laws that hold for any bytes, and the cases that once broke one or show what it is about.
//!
//! `make fuzz` looks for bytes that break them, starting from the same cases: what it finds goes
//! into `tests/cases/` and stays there.

mod answer;
mod json;
mod manifest;
mod read_back;
mod segment;
mod words;

use std::fs;
use std::path::Path;

/// Checks a law by every file of its folder.
fn hold(law: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(law);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 1, "{} has no cases", folder.display());
    for file in files {
        let data = fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| check(&data));
        assert!(outcome.is_ok(), "{} breaks the law", file.display());
    }
}

#[test]
fn an_answer_accepts_nothing_that_it_does_not_name() {
    hold("answer", answer::check);
}

#[test]
fn json_keeps_its_meaning_and_has_one_spelling() {
    hold("json", json::check);
}

#[test]
fn any_text_as_a_manifest_gets_complaints_at_places_that_exist() {
    hold("manifest", manifest::check);
}

#[test]
fn what_is_read_back_is_read_without_a_panic_and_never_made_up() {
    hold("read_back", read_back::check);
}

#[test]
fn damaged_segments_are_refused_or_read_in_order() {
    hold("segment", segment::check);
}

#[test]
fn words_that_are_read_are_written_alike() {
    hold("words", words::check);
}
