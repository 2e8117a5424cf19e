//! The `ciosync` binary.

fn main() {}
