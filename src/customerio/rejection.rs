//! From Customer.io's refusal of an item to the rejection that is remembered and shown.

use super::answer::ItemError;
use crate::model::{Rejection, RejectionKind};

/// Code of a refusal without one of Customer.io's.
const CODE_UNKNOWN: &str = "Rejected";

impl ItemError {
    /// Returns the rejection in our words, which hold no value of the row.
    pub fn to_rejection(&self) -> Rejection {
        let mut details = Vec::new();
        details.extend(self.reason.as_ref().map(|reason| format!("reason {reason}")));
        details.extend(self.field.as_ref().map(|field| format!("field {field}")));
        if !(200..300).contains(&self.status) {
            details.push(format!("status {}", self.status));
        }
        let refused = if self.status == 413 {
            "Customer.io refused the row as too large"
        } else {
            "Customer.io refused the row"
        };
        let message = if details.is_empty() {
            format!("{refused} without saying why")
        } else {
            format!("{refused} ({})", details.join(", "))
        };
        Rejection {
            kind: RejectionKind::Rejected,
            code: self.reason.clone().unwrap_or_else(|| CODE_UNKNOWN.to_owned()),
            field: self.field.clone(),
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customerio::vendor_text::VendorText;

    fn error(status: u16, reason: Option<&str>, field: Option<&str>) -> ItemError {
        ItemError {
            index: 3,
            status,
            reason: reason.map(str::to_owned),
            field: field.map(str::to_owned),
            vendor_text: VendorText::new("ann@example.com is taken"),
        }
    }

    #[test]
    fn the_message_names_what_is_known_and_quotes_nothing() {
        for (error, message) in [
            (
                error(207, Some("invalid"), Some("attributes.plan")),
                "Customer.io refused the row (reason invalid, field attributes.plan)",
            ),
            (error(207, None, None), "Customer.io refused the row without saying why"),
            (error(400, None, None), "Customer.io refused the row (status 400)"),
            (error(413, None, None), "Customer.io refused the row as too large (status 413)"),
        ] {
            assert_eq!(error.to_rejection().message, message);
        }
    }

    #[test]
    fn the_code_is_the_reason_or_says_that_there_was_none() {
        assert_eq!(error(207, Some("invalid"), None).to_rejection().code, "invalid");
        assert_eq!(error(207, None, None).to_rejection().code, "Rejected");
    }
}
