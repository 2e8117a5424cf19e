//! Customer.io's documented limits.
pub const IDENTIFIER_BYTES_MAX: usize = 150;
pub const ATTRIBUTE_VALUE_BYTES_MAX: usize = 1_000;
pub const ATTRIBUTES_MAX: usize = 300;
pub fn attribute_name_problem(name: &str) -> Option<&'static str> {
    (name.len() > 150).then_some("is longer than 150 bytes")
}
pub fn is_plausible_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(a, b)| !a.is_empty() && b.contains('.'))
}
