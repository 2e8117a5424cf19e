//! Looks for bytes that break the law in `tests/it/laws/segment.rs`.

#![no_main]

#[path = "../../tests/it/laws/segment.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|data: &[u8]| law::check(data));
