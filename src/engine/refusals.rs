//! What Customer.io refuses in one run, and when that is too much.

use std::collections::HashMap;

use super::error::RunError;
use crate::customerio::ItemError;
use crate::diff::Guards;

/// Answers from which on `maxRejected` is watched while a run goes on.
const ANSWERS_MIN: u64 = 1_000;

/// Rows singled out by halving after which a common reason is taken for the reason of all.
const SINGLED_OUT_MAX: u64 = 50;

/// Vendor's words that are kept, for a person who asks for them.
const TEXTS_MAX: usize = 20;

/// Counts of what was answered and refused.
#[derive(Default)]
pub struct Refusals {
    answered: u64,
    refused: u64,
    by_code: HashMap<String, u64>,
    singled_out: u64,
    single_code: Option<String>,
    is_single_mixed: bool,
    texts: Vec<String>,
}

impl Refusals {
    /// Returns how many rows were accepted.
    pub fn accepted(&self) -> u64 {
        self.answered - self.refused
    }

    /// Returns how many rows were refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Returns Customer.io's own words about the first refusals. They may quote rows.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Takes note of an answer about `rows` rows.
    pub fn answered(&mut self, rows: u64) {
        self.answered += rows;
    }

    /// Takes note of one refused row.
    pub fn refuse(&mut self, error: &ItemError) {
        self.refused += 1;
        *self.by_code.entry(error.to_rejection().code).or_default() += 1;
        if let Some(text) = &error.vendor_text
            && self.texts.len() < TEXTS_MAX
        {
            self.texts.push(text.reveal().to_owned());
        }
    }

    /// Takes note that halving came down to one row, which was refused or, with `None`, accepted.
    pub fn single(&mut self, error: Option<&ItemError>) {
        let Some(error) = error else {
            self.is_single_mixed = true;
            return;
        };
        self.singled_out += 1;
        let code = error.to_rejection().code;
        match &self.single_code {
            None => self.single_code = Some(code),
            Some(known) => self.is_single_mixed |= *known != code,
        }
    }

    /// Says whether the run should go on.
    ///
    /// # Errors
    /// Where more rows are refused than the guard allows, or all that were singled out for one
    /// reason: then halving every batch would cost requests and change nothing.
    pub fn check(&self, guards: &Guards) -> Result<(), RunError> {
        if self.singled_out >= SINGLED_OUT_MAX && !self.is_single_mixed {
            return Err(self.too_many());
        }
        if self.answered < ANSWERS_MIN { Ok(()) } else { self.check_at_end(guards) }
    }

    /// Says whether the run ended well, whatever its size.
    ///
    /// # Errors
    /// Where more rows are refused than the guard allows.
    pub fn check_at_end(&self, guards: &Guards) -> Result<(), RunError> {
        let limit = guards.max_rejected;
        if limit.is_some_and(|limit| limit.is_exceeded(self.refused, self.answered)) {
            return Err(self.too_many());
        }
        Ok(())
    }

    fn too_many(&self) -> RunError {
        let most = self.by_code.iter().max_by_key(|(_, count)| **count);
        RunError::TooManyRejected {
            refused: self.refused,
            answered: self.answered,
            code: most.map(|(code, _)| code.clone()),
        }
    }
}
