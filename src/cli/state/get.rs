//! `ciosync state get`: what is remembered of one row.

use anyhow::Context as _;
use serde::Serialize;

use super::key;
use crate::cli::args::OutputFormat;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::render::key::{Keys, hex};
use crate::cli::render::rejections::RejectionView;
use crate::cli::render::table::pairs;
use crate::cli::store::Wanted;
use crate::model::key::KEY_BYTES_MAX;
use crate::model::{Entry, KeyShape, SyncId, Target, TargetKind};
use crate::state::store::{Identity, RejectedRow};
use crate::state::{Access, StateStore, snapshot};

/// What is remembered of a row. Keys and targets are shown: the person named the row.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowView {
    namespace: String,
    name: String,
    key: String,
    /// Whether Customer.io accepted the row, as far as we know.
    known: bool,
    /// `None` where the row is sent again at the next run although it is known.
    fingerprint: Option<String>,
    /// How the fingerprint was made.
    encoding: Option<u8>,
    target: Option<String>,
    suppressed: bool,
    rejection: Option<RejectionView>,
}

/// Prints what is remembered of the row whose primary key is `texts`. A row of which nothing is
/// known is an answer too.
///
/// # Errors
/// Where the key is not one of this Sync, or the state can't be read.
pub(super) async fn run(
    wanted: &Wanted,
    texts: &[String],
    format: OutputFormat,
) -> anyhow::Result<Exit> {
    let (store, state) = wanted.find(Access::Read).await?;
    let sync = &wanted.sync;
    let memo = &state.memo;
    let shape = memo.key_shape.as_ref().with_context(|| {
        format!("{sync} has not delivered anything yet, so no row of it is remembered")
    })?;
    let columns = memo.identity.as_ref().map_or(&[][..], |identity| &identity.primary_key);
    let key = key::encode(shape, columns, texts)?;
    let found = snapshot::get(store.as_ref(), sync, &key).await.map_err(output::explained)?;
    let entry = found.as_ref().map(|entry| entry.as_entry());
    let refused = rejection(store.as_ref(), sync, &key).await?;
    let view = RowView {
        namespace: sync.namespace.clone(),
        name: sync.name.clone(),
        key: shape.display(&key),
        known: entry.is_some(),
        fingerprint: entry.and_then(|entry| entry.fingerprint).map(|f| hex(&f.to_bytes())),
        encoding: entry.map(|entry| entry.encoding.code()),
        target: entry.and_then(|entry| target(&entry, shape, memo.identity.as_ref()?)),
        suppressed: entry.is_some_and(|entry| entry.flags.suppressed),
        rejection: refused.map(|row| RejectionView::new(&state, &row, Keys::Shown)),
    };
    match format {
        OutputFormat::Json => output::print_json(&view)?,
        OutputFormat::Text => output::print(&text(view))?,
    }
    Ok(Exit::Done)
}

/// Returns the person or object that was sent, a pair as `person / token`; `None` for an event,
/// which may be about anybody.
fn target(entry: &Entry<'_>, shape: &KeyShape, identity: &Identity) -> Option<String> {
    let is_pair = match identity.entity.as_str() {
        "event" => return None,
        entity => matches!(entity, "device" | "relationship"),
    };
    let mut text = String::new();
    entry.write_target(shape, &mut text)?;
    let kind = TargetKind { identifier: identity.identifier, is_pair };
    match (Target { kind, text: &text }).parts()? {
        (first, Some(second)) => Some(format!("{first} / {second}")),
        (_, None) => Some(text),
    }
}

fn text(view: RowView) -> String {
    let yes_or_no = |flag| if flag { "yes" } else { "no" }.to_owned();
    let mut facts = vec![("key", view.key), ("remembered", yes_or_no(view.known))];
    if view.known {
        let sent_again = || "none: sent again at the next run".to_owned();
        facts.push(("fingerprint", view.fingerprint.unwrap_or_else(sent_again)));
        facts.push(("target", view.target.unwrap_or_else(|| "-".to_owned())));
        facts.push(("suppressed", yes_or_no(view.suppressed)));
    }
    if let Some(rejection) = view.rejection {
        facts.push(("rejection", rejection.sentence()));
    }
    pairs(&facts)
}

/// Returns the row of exactly this key that was not accepted.
async fn rejection(
    store: &dyn StateStore,
    sync: &SyncId,
    key: &[u8],
) -> anyhow::Result<Option<RejectedRow>> {
    let rows = store.rejections(sync, before(key).as_deref(), 1).await;
    Ok(rows.map_err(output::explained)?.into_iter().next().filter(|row| row.key == key))
}

/// Returns bytes before `key` with no other key between them, as keys are at most so long;
/// `None` for the empty key, which is the first.
fn before(key: &[u8]) -> Option<Vec<u8>> {
    let (last, front) = key.split_last()?;
    let mut before = front.to_vec();
    if let Some(smaller) = last.checked_sub(1) {
        before.push(smaller);
        before.resize(KEY_BYTES_MAX.max(key.len()), 0xff);
    }
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_lies_between_a_key_and_the_bytes_before_it() {
        assert_eq!(before(b""), None);
        assert_eq!(before(b"a\0"), Some(b"a".to_vec()));

        let before = before(b"abc").unwrap();
        assert!(before.as_slice() < b"abc".as_slice());
        assert!(before >= [b"abb".as_slice(), &[0xff; KEY_BYTES_MAX - 3]].concat());
    }
}
