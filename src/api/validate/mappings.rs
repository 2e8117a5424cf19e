//! Mappings: names that Customer.io keeps for itself, two mappings to one attribute, templates,
//! and consent.

use std::collections::HashMap;

use crate::api::SyncSpec;
use crate::api::finding::Finding;
use crate::customerio::spec::Entity;
use crate::mapping::spec::MappingSpec;
use crate::model::limits::attribute_name_problem;

/// Names that can't be attributes of a person. Source: Customer.io, reserved attributes; the others
/// of that list (`email`, `phone`, `created_at`, `unsubscribed`, `timezone` …) are attributes with
/// a meaning and may be mapped.
const RESERVED_PERSON: [&str; 1] = ["cio_id"];

/// Names that can't be attributes of an object. Source: Customer.io, reserved object attributes.
const RESERVED_OBJECT: [&str; 4] = ["cio_object_id", "object_id", "objectId", "relationship"];

/// Where a person's consent by topic lives.
const CONSENT_TOPICS: &str = "cio_subscription_preferences";

/// Returns what is wrong with a Sync's mappings, and what is good to know about them.
pub(super) fn sync(spec: &SyncSpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, mapping) in spec.mappings.iter().enumerate() {
        let path = format!("spec.mappings[{index}]");
        findings.extend(template_finding(&path, mapping));
        let Some(name) = mapping.attribute() else { continue };
        let name_path =
            if mapping.to.is_some() { format!("{path}.to") } else { format!("{path}.from") };
        if let Some(first) = seen.insert(name, index) {
            let message =
                format!("the attribute `{name}` is already set by spec.mappings[{first}]");
            let hint = "take one of the two away, or give one another name with `to`";
            findings.push(Finding::error(&name_path, message).hint(hint));
        }
        findings.extend(name_finding(&name_path, name, spec));
        findings.extend(email_beside_id(&name_path, name, spec));
        findings.extend(consent_finding(&path, mapping, name, spec.entity));
    }
    findings
}

fn template_finding(path: &str, mapping: &MappingSpec) -> Option<Finding> {
    let error = mapping.template_error()?;
    Some(
        Finding::error(format!("{path}.template"), format!("the template {error}"))
            .hint("a template knows `{{column}}` only, such as `{{first_name}} {{last_name}}`"),
    )
}

/// Returns why a name can't be used for an attribute.
fn name_finding(path: &str, name: &str, spec: &SyncSpec) -> Option<Finding> {
    if let Some(problem) = attribute_name_problem(name) {
        let message = format!("the name `{name}` {problem}");
        return Some(Finding::error(path, message).hint("give it another name with `to`"));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        let message = "the name begins or ends with white space, or holds a control character";
        return Some(Finding::error(path, message));
    }
    let is_identifier = spec
        .identifiers
        .as_ref()
        .and_then(|identifiers| identifiers.person())
        .is_some_and(|(kind, _)| spec.entity == Entity::Person && kind.as_str() == name);
    if is_identifier {
        let message = format!("`{name}` is set by identifiers already");
        return Some(Finding::error(path, message).hint("take this mapping away"));
    }
    let reserved: &[&str] = match spec.entity {
        Entity::Person => &RESERVED_PERSON,
        Entity::Object => &RESERVED_OBJECT,
        Entity::Device
        | Entity::Event
        | Entity::Relationship
        | Entity::SegmentMembership
        | Entity::Collection => &[],
    };
    if reserved.contains(&name) {
        let message = format!("`{name}` is Customer.io's own name");
        return Some(Finding::error(path, message).hint("give it another name with `to`"));
    }
    None
}

/// Customer.io changes an e-mail by id only where the workspace allows it, and answers 200 either
/// way.
fn email_beside_id(path: &str, name: &str, spec: &SyncSpec) -> Option<Finding> {
    let by_id = spec.identifiers.as_ref().is_some_and(|identifiers| identifiers.id.is_some());
    if name != "email" || !by_id || spec.entity != Entity::Person {
        return None;
    }
    Some(
        Finding::note(
            path,
            "once a person has an e-mail, Customer.io changes it by id only where the workspace allows it, and answers with success otherwise",
        )
        .hint("switch on \"Allow updates to email using ID\" in the workspace's settings"),
    )
}

fn consent_finding(
    path: &str,
    mapping: &MappingSpec,
    name: &str,
    entity: Entity,
) -> Option<Finding> {
    mapping.consent?;
    let is_consent = name == "unsubscribed" || name.starts_with(CONSENT_TOPICS);
    if entity == Entity::Person && is_consent {
        return None;
    }
    let message = format!("`{name}` is no consent of a person");
    let hint = "consent belongs to mappings of unsubscribed and cio_subscription_preferences";
    Some(Finding::error(format!("{path}.consent"), message).hint(hint))
}
