//! What differs between the source and what was accepted, and what is asked of Customer.io.

use serde::{Deserialize, Serialize};

/// How a row differs from what was last accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// In the source only.
    Added,
    /// In both, and what would be sent differs.
    Changed,
    /// In both and equal, but due to be sent again (full resync, refresh).
    Refreshed,
    /// Remembered only: the row left the source.
    Removed,
}

/// What one operation asks of Customer.io. Part of a record's fingerprint, so an edited
/// `behavior` is a change; the numbers are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    /// Create or update a person.
    PersonIdentify,
    /// Update a person who exists, never create one.
    PersonUpdate,
    /// Delete a person.
    PersonDelete,
    /// Delete a person and block the identifier.
    PersonSuppress,
    /// Free a blocked identifier.
    PersonUnsuppress,
    /// Null the mapped attributes of a person who exists.
    PersonClear,
    /// Create or update an object; by Customer.io's own id, update one that exists.
    ObjectIdentify,
    /// Delete an object, and its relationships with it.
    ObjectDelete,
    /// Null the mapped attributes of an object.
    ObjectClear,
    /// Relate a person to an object, or change the attributes of their relationship.
    RelationshipAdd,
    /// End a person's relationship to an object.
    RelationshipDelete,
    /// Add a device to a person, or change it.
    DeviceAdd,
    /// Take a device away from a person.
    DeviceDelete,
    /// Count an event, once.
    EventTrack,
    /// Put a person into a manual segment.
    SegmentAdd,
    /// Take a person out of a manual segment.
    SegmentRemove,
    /// Be a row of a collection, which is replaced as a whole.
    CollectionReplace,
}

impl OperationKind {
    const ALL: [Self; 17] = [
        Self::PersonIdentify,
        Self::PersonUpdate,
        Self::PersonDelete,
        Self::PersonSuppress,
        Self::PersonUnsuppress,
        Self::PersonClear,
        Self::ObjectIdentify,
        Self::ObjectDelete,
        Self::ObjectClear,
        Self::RelationshipAdd,
        Self::RelationshipDelete,
        Self::DeviceAdd,
        Self::DeviceDelete,
        Self::EventTrack,
        Self::SegmentAdd,
        Self::SegmentRemove,
        Self::CollectionReplace,
    ];

    /// Returns the number that stands for the operation on disk and in fingerprints.
    pub fn code(self) -> u8 {
        match self {
            Self::PersonIdentify => 1,
            Self::PersonUpdate => 2,
            Self::PersonDelete => 3,
            Self::PersonSuppress => 4,
            Self::PersonUnsuppress => 5,
            Self::PersonClear => 6,
            Self::ObjectIdentify => 7,
            Self::ObjectDelete => 8,
            Self::ObjectClear => 9,
            Self::RelationshipAdd => 10,
            Self::RelationshipDelete => 11,
            Self::DeviceAdd => 12,
            Self::DeviceDelete => 13,
            Self::EventTrack => 14,
            Self::SegmentAdd => 15,
            Self::SegmentRemove => 16,
            Self::CollectionReplace => 17,
        }
    }

    /// Returns the operation of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the operation's name for messages and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PersonIdentify | Self::ObjectIdentify => "identify",
            Self::PersonUpdate => "update",
            Self::PersonDelete | Self::ObjectDelete => "delete",
            Self::PersonSuppress => "suppress",
            Self::PersonUnsuppress => "unsuppress",
            Self::PersonClear | Self::ObjectClear => "clear",
            Self::RelationshipAdd => "add relationship",
            Self::RelationshipDelete => "delete relationship",
            Self::DeviceAdd => "add device",
            Self::DeviceDelete => "delete device",
            Self::EventTrack => "event",
            Self::SegmentAdd => "add to segment",
            Self::SegmentRemove => "remove from segment",
            Self::CollectionReplace => "replace",
        }
    }

    /// Returns whether what is sent so is meant to be in the workspace and to stay there, so that
    /// no other Sync may remove it.
    pub fn holds_target(self) -> bool {
        match self {
            Self::PersonIdentify
            | Self::PersonUpdate
            | Self::ObjectIdentify
            | Self::RelationshipAdd
            | Self::DeviceAdd
            | Self::SegmentAdd => true,
            Self::PersonDelete
            | Self::PersonSuppress
            | Self::PersonUnsuppress
            | Self::PersonClear
            | Self::ObjectDelete
            | Self::ObjectClear
            | Self::RelationshipDelete
            | Self::DeviceDelete
            | Self::EventTrack
            | Self::SegmentRemove
            | Self::CollectionReplace => false,
        }
    }

    /// Returns whether each row that is sent so takes something out of the workspace.
    pub fn removes_target(self) -> bool {
        match self {
            Self::PersonDelete
            | Self::PersonSuppress
            | Self::ObjectDelete
            | Self::RelationshipDelete
            | Self::DeviceDelete
            | Self::SegmentRemove => true,
            Self::PersonIdentify
            | Self::PersonUpdate
            | Self::PersonUnsuppress
            | Self::PersonClear
            | Self::ObjectIdentify
            | Self::ObjectClear
            | Self::RelationshipAdd
            | Self::DeviceAdd
            | Self::EventTrack
            | Self::SegmentAdd
            | Self::CollectionReplace => false,
        }
    }

    /// Returns whether a row that is sent so carries attributes: what removes names its target only.
    pub fn has_attributes(self) -> bool {
        match self {
            Self::PersonIdentify
            | Self::PersonUpdate
            | Self::PersonClear
            | Self::ObjectIdentify
            | Self::ObjectClear
            | Self::RelationshipAdd
            | Self::DeviceAdd
            | Self::EventTrack
            | Self::CollectionReplace => true,
            Self::PersonDelete
            | Self::PersonSuppress
            | Self::PersonUnsuppress
            | Self::ObjectDelete
            | Self::RelationshipDelete
            | Self::DeviceDelete
            | Self::SegmentAdd
            | Self::SegmentRemove => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_has_a_number_of_its_own_and_is_found_by_it() {
        let codes: HashSet<u8> = OperationKind::ALL.iter().map(|kind| kind.code()).collect();

        assert_eq!(codes.len(), OperationKind::ALL.len());
        for kind in OperationKind::ALL {
            assert_eq!(OperationKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(OperationKind::from_code(0), None);
    }
}
