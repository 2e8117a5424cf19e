//! The one encoding of Kubernetes' own resources that a manifest needs: base64.

use k8s_openapi::ByteString;
use serde_json::Value;

/// Returns the bytes of an entry of a Secret's `data`; `None` if it is not standard base64.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let bytes: ByteString = serde_json::from_value(Value::String(text.to_owned())).ok()?;
    Some(bytes.0)
}
