//! What Customer.io's answer to a batch means for each of its items.
//!
//! Source: Track API v2 `/batch`. 200: all accepted. 207: those listed by `batch_index` are
//! refused, all others accepted. 400: the whole request is refused. No field of an error is
//! promised, and clients of others have seen errors under a 200, so any 2xx is read in full.

use std::collections::BTreeMap;

use serde_json::Value;

use super::vendor_text::{self, VendorText};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Every item was accepted.
    Accepted,
    /// The items named were refused, all others accepted. Sorted by index, each once.
    Partial {
        /// The refused items; at least one.
        rejected: Vec<ItemError>,
    },
    /// Nothing of the batch counts as accepted, and no single item as refused: send its halves.
    Split {
        /// Why.
        cause: SplitCause,
    },
    /// The only item of the batch was refused.
    Refused(ItemError),
}

/// Why a batch has to be sent in halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SplitCause {
    /// The whole request was refused with 400 or 422.
    RefusedAsAWhole,
    /// The request was refused as too large (413).
    TooLarge,
    /// Errors were reported without saying for which item.
    NoUsableIndex,
}

impl SplitCause {
    /// Returns the cause in words, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefusedAsAWhole => "refused as a whole",
            Self::TooLarge => "refused as too large",
            Self::NoUsableIndex => "errors without a usable batch_index",
        }
    }
}

/// Why one item was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemError {
    /// Which item of the batch.
    pub index: usize,
    /// The status of the answer.
    pub status: u16,
    /// Customer.io's code, where it gave one that is a single word.
    pub reason: Option<String>,
    /// The field that it named (`attributes.plan`), without keys inside values.
    pub field: Option<String>,
    /// Its own words, which may quote the row.
    pub vendor_text: Option<VendorText>,
}

impl ItemError {
    fn new(status: u16) -> Self {
        Self { index: 0, status, reason: None, field: None, vendor_text: None }
    }

    /// Adds what a further error says about the same item; what was known stays.
    fn merge(&mut self, more: Self) {
        self.reason = self.reason.take().or(more.reason);
        self.field = self.field.take().or(more.field);
        self.vendor_text = match (self.vendor_text.take(), more.vendor_text) {
            (Some(text), Some(more)) => Some(text.and(&more)),
            (text, more) => text.or(more),
        };
    }
}

/// An answer that can't be told from a proxy's page or half an answer: nothing counts as accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Reads the answer to a batch of `item_count` items, whose status is 2xx, 400, 413 or 422.
///
/// # Errors
/// Where a 2xx comes with anything but a JSON object: a proxy's page, or half an answer.
pub fn of_batch(status: u16, body: &[u8], item_count: usize) -> Result<Answer, Unreadable> {
    let parsed = serde_json::from_slice(body).ok().filter(Value::is_object);
    let is_accepting = (200..300).contains(&status);
    if is_accepting && parsed.is_none() {
        return Err(Unreadable);
    }
    let errors = parsed.as_ref().map(|body| errors_of(status, body)).unwrap_or_default();
    if !is_accepting {
        let cause = if status == 413 { SplitCause::TooLarge } else { SplitCause::RefusedAsAWhole };
        return Ok(split_or_refused(status, errors, item_count, cause));
    }
    // 207 says that at least one item was refused.
    if errors.is_empty() && status != 207 {
        return Ok(Answer::Accepted);
    }
    match by_index(&errors, item_count) {
        Some(rejected) => Ok(Answer::Partial { rejected }),
        None => Ok(split_or_refused(status, errors, item_count, SplitCause::NoUsableIndex)),
    }
}

/// Returns the words of an answer that is about no item: 401, 404 and the like.
pub(super) fn vendor_text_of(status: u16, body: &[u8]) -> Option<VendorText> {
    let errors = serde_json::from_slice(body).ok().map(|body| errors_of(status, &body))?;
    merged(status, errors).vendor_text
}

fn split_or_refused(
    status: u16,
    errors: Vec<(Option<u64>, ItemError)>,
    item_count: usize,
    cause: SplitCause,
) -> Answer {
    if item_count > 1 { Answer::Split { cause } } else { Answer::Refused(merged(status, errors)) }
}

fn merged(status: u16, errors: Vec<(Option<u64>, ItemError)>) -> ItemError {
    let mut all = ItemError::new(status);
    errors.into_iter().for_each(|(_, error)| all.merge(error));
    all
}

/// Returns one error an item, in order; `None` where there is none, or one can't be attributed.
fn by_index(errors: &[(Option<u64>, ItemError)], item_count: usize) -> Option<Vec<ItemError>> {
    let mut items: BTreeMap<usize, ItemError> = BTreeMap::new();
    for (index, error) in errors {
        let index = usize::try_from((*index)?).ok().filter(|index| *index < item_count)?;
        let error = ItemError { index, ..error.clone() };
        match items.get_mut(&index) {
            Some(known) => known.merge(error),
            None => {
                items.insert(index, error);
            }
        }
    }
    (!items.is_empty()).then(|| items.into_values().collect())
}

/// Returns every error that a body reports, with the index it gives: `errors` of version 2, and
/// `meta.errors` or `meta.error` of version 1.
fn errors_of(status: u16, body: &Value) -> Vec<(Option<u64>, ItemError)> {
    let meta = body.get("meta");
    [
        body.get("errors"),
        meta.and_then(|meta| meta.get("errors")),
        meta.and_then(|meta| meta.get("error")),
    ]
    .into_iter()
    .flatten()
    .flat_map(|errors| match errors {
        Value::Null => &[],
        Value::Array(errors) => errors.as_slice(),
        other => std::slice::from_ref(other),
    })
    .map(|error| error_of(status, error))
    .collect()
}

fn error_of(status: u16, error: &Value) -> (Option<u64>, ItemError) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).and_then(VendorText::new);
    let (reason, message) = (error.get("reason"), error.get("message"));
    let mut item = ItemError::new(status);
    item.reason = vendor_text::code(reason);
    item.field = vendor_text::field(error.get("field"));
    // A reason or field that is no plain word still belongs to what Customer.io said.
    let unshown_reason = if item.reason.is_none() { text(reason) } else { None };
    let unshown_field = if item.field.is_none() { text(error.get("field")) } else { None };
    let said = [text(Some(error)), text(message), unshown_reason, unshown_field];
    item.vendor_text = said.into_iter().flatten().reduce(|all, more| all.and(&more));
    (error.get("batch_index").and_then(Value::as_u64), item)
}

#[cfg(test)]
mod tests;
