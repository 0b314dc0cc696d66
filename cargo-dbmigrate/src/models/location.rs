//! The location of a model, for messages.

use dbmigrate_runtime::engine::record::ModelRecord;

/// `models::User` at `src/models.rs:10`
pub fn location(model: &ModelRecord) -> String {
    match model.line {
        0 => format!("`{}` in {}", model.path, model.file),
        line => format!("`{}` at {}:{line}", model.path, model.file),
    }
}

/// The name of a column's field, and its location.
pub fn field<'a>(model: &'a ModelRecord, column: &'a str) -> (&'a str, String) {
    let field = model.fields.iter().find(|field| field.column == column);
    let place = match field {
        Some(field) if field.line != 0 => {
            format!("`{}` at {}:{}", model.path, model.file, field.line)
        }
        _ => location(model),
    };
    (field.map_or(column, |field| &field.field), place)
}
