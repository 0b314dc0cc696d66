//! One direction of a revision, with what is recorded beside its operations.

use super::{DecodeError, decode, encode};
use crate::operations::{Allowed, Json, Recording};

/// One direction of a revision as a JSON object.
pub(crate) fn write_recording(recording: &Recording) -> Json<'_> {
    Json::object([
        ("operations", Some(Json::text(encode(&recording.operations)))),
        ("no_transaction", recording.no_transaction.then_some(Json::Bool(true))),
        ("irreversible", recording.irreversible.as_ref().map(Json::text)),
        ("barrier", recording.barrier.as_ref().map(Json::text)),
        ("allowed", (!recording.allowed.is_empty()).then(|| write_allowed(&recording.allowed))),
    ])
}

/// Each as a list of the operation's position, the rule and the reason, all of them texts.
fn write_allowed(allowed: &[Allowed]) -> Json<'_> {
    let entry = |Allowed { operation, rule, reason }: &Allowed| {
        let texts = [&operation.to_string(), rule, reason].map(|text| Json::text(text.clone()));
        Json::Array(texts.into())
    };
    Json::Array(allowed.iter().map(entry).collect())
}

fn read_allowed(json: &Json<'_>) -> Option<Vec<Allowed>> {
    let entry = |entry: &Json<'_>| {
        let [operation, rule, reason] = entry.as_array()? else { return None };
        Some(Allowed {
            operation: operation.as_str()?.parse().ok()?,
            rule: rule.as_str()?.to_owned(),
            reason: reason.as_str()?.to_owned(),
        })
    };
    json.as_array()?.iter().map(entry).collect()
}

/// Reads what [`write_recording`] wrote.
///
/// # Errors
///
/// A member that is missing or can't be decoded.
pub(crate) fn read_recording(json: &Json<'_>) -> Result<Recording, DecodeError> {
    let missing = |key: &str| DecodeError::new(format!("member `{key}` is missing"));
    let operations = json.get("operations").and_then(Json::as_str);
    Ok(Recording {
        operations: decode(operations.ok_or_else(|| missing("operations"))?)?,
        no_transaction: json.get("no_transaction").and_then(Json::as_bool) == Some(true),
        irreversible: json.get("irreversible").and_then(Json::as_str).map(str::to_owned),
        barrier: json.get("barrier").and_then(Json::as_str).map(str::to_owned),
        allowed: match json.get("allowed") {
            Some(allowed) => read_allowed(allowed).ok_or_else(|| missing("allowed"))?,
            None => Vec::new(),
        },
    })
}
