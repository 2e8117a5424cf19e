//! Words in, words out: the command line. One file a command; what people read is in `render`.

pub mod args;
pub mod completions;
pub mod crds;
pub mod emulator;
pub mod exit;
pub mod get;
pub mod names;
pub mod output;
pub mod render;
pub mod retry;
pub mod state;
pub mod store;

pub use args::Cli;
pub use exit::Exit;
