//! Records and settings for this room's tests.

use std::sync::Once;

use super::config::ConnectionConfig;
use crate::model::record::Header;
use crate::model::secret::Secret;
use crate::model::{IdentifierKind, OperationKind, RecordBuf, Target, canonical};

/// Returns a record about the person with that id; each attribute is a name and a JSON text.
pub(super) fn record(operation: OperationKind, id: &str, attributes: &[(&str, &str)]) -> RecordBuf {
    let mut sorted = attributes.to_vec();
    sorted.sort_unstable();
    let mut record = RecordBuf::default();
    let header = Header::plain(operation, Target::single(IdentifierKind::Id, id));
    record.start(header, u16::try_from(sorted.len()).unwrap());
    for (name, json) in sorted {
        canonical::write_json_text(record.attribute(name), json).unwrap();
    }
    record
}

/// Returns a configuration with made-up credentials, in a process that can do TLS.
pub(super) fn config() -> ConnectionConfig {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Another test of this process may have been faster, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    ConnectionConfig::new(Secret::new("site".to_owned()), Secret::new("key".to_owned()))
}
