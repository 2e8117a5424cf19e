//! What was reported about messages: opened, converted, delivered.

/// One report about a message.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryEvent {
    pub(crate) delivery_id: String,
    pub(crate) name: String,
    pub(crate) device_token: String,
    /// When the report arrived, in unix seconds.
    pub(crate) timestamp: i64,
}
