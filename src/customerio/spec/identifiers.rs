//! Which column names a person, and where a single value comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::IdentifierKind;

/// Which column identifies the person: exactly one of id, email, phone, cioId (events also
/// anonymousId).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "[has(self.id), has(self.email), has(self.phone), has(self.cioId), has(self.anonymousId)].filter(x, x).size() == 1",
        "message": "name exactly one identifier: id, email, phone or cioId (events also anonymousId)"
    }])
)]
pub struct Identifiers {
    /// Column with the id that your systems give to the person. Example: `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub id: Option<String>,
    /// Column with the e-mail address. Customer.io compares it without case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub email: Option<String>,
    /// Column with the phone number in E.164 form, such as `+4930123456`. The workspace must have
    /// phone numbers enabled as identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub phone: Option<String>,
    /// Column with Customer.io's own id, without the prefix `cio_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub cio_id: Option<String>,
    /// Column with the anonymous id of a visitor. Events only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub anonymous_id: Option<String>,
}

impl Identifiers {
    /// Returns which identifier names the person, and its column.
    ///
    /// `None` where the person is anonymous, or unless exactly one identifier is set (which the
    /// schema refuses).
    pub fn person(&self) -> Option<(IdentifierKind, &str)> {
        let all = [
            (IdentifierKind::Id, &self.id),
            (IdentifierKind::Email, &self.email),
            (IdentifierKind::Phone, &self.phone),
            (IdentifierKind::CioId, &self.cio_id),
        ];
        let mut set = all.into_iter().filter_map(|(kind, column)| Some((kind, column.as_deref()?)));
        match (set.next(), set.next()) {
            (only, None) => only,
            (_, Some(_)) => None,
        }
    }
}

/// A value that a column gives, or that is the same for all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(
    inline,
    extend("x-kubernetes-validations" = [{
        "rule": "has(self.column) != has(self.constant)",
        "message": "set exactly one of column and constant"
    }])
)]
pub struct ColumnOrConstant {
    /// Column that gives the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub column: Option<String>,
    /// The same value for every row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub constant: Option<String>,
}
