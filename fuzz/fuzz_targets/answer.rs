//! Looks for bytes that break the law in `tests/it/laws/answer.rs`.

#![no_main]

#[path = "../../tests/it/laws/answer.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|data: &[u8]| law::check(data));
