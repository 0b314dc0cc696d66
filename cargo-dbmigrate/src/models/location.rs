//! Where a model is, as messages say it.

use dbmigrate_runtime::engine::record::ModelRecord;

/// `models::User` at `src/models.rs:10`
pub fn location(model: &ModelRecord) -> String {
    match model.line {
        0 => format!("`{}` in {}", model.path, model.file),
        line => format!("`{}` at {}:{line}", model.path, model.file),
    }
}
