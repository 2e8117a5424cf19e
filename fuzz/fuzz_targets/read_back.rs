//! Looks for bytes that break the law in `tests/it/laws/read_back.rs`.

#![no_main]

#[path = "../../tests/it/laws/read_back.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|data: &[u8]| law::check(data));
