//! What the modules record, with one line of text per module.

use crate::Module;
use crate::migration::Migration;
use crate::operations::codec::DecodeError;
use crate::operations::{self, Allowed, Json, Recording};
use crate::revision::Revision;

/// What a module recorded, or why it couldn't be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The module's name, which is the file's name without its extension.
    pub module: String,
    /// The migration, or the message of a panic.
    pub migration: Result<Migration, String>,
}

pub(super) fn write_recorded<'a>(
    module: &'a Module,
    migration: &'a Result<Migration, String>,
) -> Json<'a> {
    let replaces =
        migration.as_ref().is_ok_and(|migration| !migration.revision.replaces.is_empty());
    match migration {
        Err(panic) => Json::object([
            ("module", Some(Json::text(module.name))),
            ("panic", Some(Json::text(panic))),
        ]),
        Ok(migration) => Json::object([
            ("module", Some(Json::text(module.name))),
            ("revision", Some(Json::text(&migration.revision.id))),
            ("parents", Some(Json::texts(&migration.revision.parents))),
            ("branch_labels", Some(Json::texts(&migration.revision.branch_labels))),
            ("depends_on", Some(Json::texts(&migration.revision.depends_on))),
            ("replaces", replaces.then(|| Json::texts(&migration.revision.replaces))),
            ("message", Some(Json::text(&migration.revision.message))),
            ("checksum", Some(Json::text(&migration.checksum))),
            ("upgrade", Some(write_recording(&migration.upgrade))),
            ("downgrade", Some(write_recording(&migration.downgrade))),
        ]),
    }
}

fn write_recording(recording: &Recording) -> Json<'_> {
    Json::object([
        ("operations", Some(Json::text(operations::encode(&recording.operations)))),
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

/// Decodes a line that a runner wrote about one module, possibly much earlier and cached since.
///
/// # Errors
///
/// When the line is damaged, or a newer version wrote it.
pub fn read_recorded(line: &str) -> Result<Recorded, DecodeError> {
    let json = Json::parse(line).map_err(DecodeError::new)?;
    let missing = |key: &str| DecodeError::new(format!("member `{key}` is missing"));
    let text = |key: &str| {
        let text = json.get(key).and_then(Json::as_str);
        text.map(str::to_owned).ok_or_else(|| missing(key))
    };
    let texts = |key: &str| {
        let items = json.get(key).and_then(Json::as_array).ok_or_else(|| missing(key))?;
        let items = items.iter().map(|value| value.as_str().map(str::to_owned));
        items.collect::<Option<Vec<_>>>().ok_or_else(|| missing(key))
    };
    let module = text("module")?;
    if let Some(panic) = json.get("panic").and_then(Json::as_str) {
        return Ok(Recorded { module, migration: Err(panic.to_owned()) });
    }
    let recording = |key: &str| {
        let json = json.get(key).ok_or_else(|| missing(key))?;
        let operations = json.get("operations").and_then(Json::as_str);
        Ok(Recording {
            operations: operations::decode(operations.ok_or_else(|| missing("operations"))?)?,
            no_transaction: json.get("no_transaction").and_then(Json::as_bool) == Some(true),
            irreversible: json.get("irreversible").and_then(Json::as_str).map(str::to_owned),
            barrier: json.get("barrier").and_then(Json::as_str).map(str::to_owned),
            allowed: match json.get("allowed") {
                Some(allowed) => read_allowed(allowed).ok_or_else(|| missing("allowed"))?,
                None => Vec::new(),
            },
        })
    };
    let revision = Revision {
        id: text("revision")?,
        parents: texts("parents")?,
        branch_labels: texts("branch_labels")?,
        depends_on: texts("depends_on")?,
        replaces: match json.get("replaces") {
            Some(_) => texts("replaces")?,
            None => Vec::new(),
        },
        message: text("message")?,
        file: module.clone(),
    };
    let (upgrade, downgrade) = (recording("upgrade")?, recording("downgrade")?);
    let checksum = text("checksum")?;
    Ok(Recorded { module, migration: Ok(Migration { revision, upgrade, downgrade, checksum }) })
}
