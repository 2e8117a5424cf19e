//! From resources and secrets to a pipeline that is ready to run: parsed once, never checked again.
