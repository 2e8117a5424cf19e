//! What belongs to one entity: an event's name and time, an object's clearing, a member who has no
//! attributes.

use crate::api::SyncSpec;
use crate::api::finding::Finding;
use crate::customerio::spec::{Entity, EventSpec, OnRemove};
use crate::mapping::spec::UnmappedColumns;
use crate::model::limits::EVENT_NAME_BYTES_MAX;

/// Fields of an event's data that take the place of what a campaign says. Source: Track API
/// description, `eventsRequest`.
const CAMPAIGN_FIELDS: [&str; 3] = ["recipient", "from_address", "reply_to"];

/// Returns what is wrong with the block of a Sync's entity, and what is good to know about it.
pub(super) fn sync(spec: &SyncSpec) -> Vec<Finding> {
    match spec.entity {
        Entity::Event => spec.event.as_ref().map(|block| event(spec, block)).unwrap_or_default(),
        Entity::Object => cleared_object(spec).into_iter().collect(),
        Entity::SegmentMembership => membership(spec),
        Entity::Person | Entity::Device | Entity::Relationship | Entity::Collection => Vec::new(),
    }
}

fn event(spec: &SyncSpec, block: &EventSpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(name) = &block.name.constant {
        let path = "spec.event.name.constant";
        if name.trim().is_empty() {
            findings.push(Finding::error(path, "the name of the event is blank"));
        } else if name.len() > EVENT_NAME_BYTES_MAX {
            let message = format!("the name is longer than {EVENT_NAME_BYTES_MAX} bytes");
            findings.push(Finding::error(path, message).hint("Customer.io takes no longer one"));
        }
    }
    let Some(timestamp) = &block.timestamp else {
        let message = "without it an event happens when it is sent: a first run dates all of the past to today";
        findings.push(
            Finding::note("spec.event.timestamp", message)
                .hint("name the column that says when it happened"),
        );
        return findings;
    };
    if spec.model.cursor.as_ref().is_some_and(|cursor| cursor.column == *timestamp) {
        let message =
            "rows that arrive late, with a time that lies behind what was read, are never read";
        findings.push(
            Finding::note("spec.model.cursor.column", message)
                .hint("name the column with the time at which a row was loaded"),
        );
    }
    for (index, mapping) in spec.mappings.iter().enumerate() {
        let Some(name) = mapping.attribute() else { continue };
        if CAMPAIGN_FIELDS.contains(&name) {
            let message =
                format!("`{name}` takes the place of what a campaign that the event triggers says");
            findings.push(Finding::note(format!("spec.mappings[{index}]"), message));
        }
    }
    findings
}

/// Customer.io has no word for an update of an object that makes none.
fn cleared_object(spec: &SyncSpec) -> Option<Finding> {
    (spec.on_remove == Some(OnRemove::Clear)).then(|| {
        let message =
            "clearing an object that somebody deleted in Customer.io makes it anew, empty";
        Finding::note("spec.onRemove", message).hint("write `onRemove: delete` where that matters")
    })
}

fn membership(spec: &SyncSpec) -> Vec<Finding> {
    const MESSAGE: &str = "a membership has no attributes";
    let hint = "take it away; people get their attributes from a Sync with `entity: person`";
    let mut findings = Vec::new();
    if !spec.mappings.is_empty() {
        findings.push(Finding::error("spec.mappings", MESSAGE).hint(hint));
    }
    if spec.unmapped_columns == UnmappedColumns::Include {
        findings.push(Finding::error("spec.unmappedColumns", MESSAGE).hint(hint));
    }
    findings
}
