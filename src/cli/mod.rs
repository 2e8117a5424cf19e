//! Words in, words out: the command line. One file a command; what people read is in `render`.

pub mod args;
pub mod exit;
pub mod render;

pub use args::Cli;
pub use exit::Exit;
