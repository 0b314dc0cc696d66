//! What the project's own function makes of a difference, where it has one.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use crate::autogenerate::{self, Changes};
use crate::context::Context;
use crate::error::Result;
use crate::output::style;
use crate::runner;

/// The changes as the function of dbmigrate.toml rewrites them; as they are without one.
///
/// # Errors
///
/// When the function fails, or returns what doesn't fit the schema before.
pub fn rewritten(cx: &Context, found: Changes, before: &Schema) -> Result<Changes> {
    let function = cx.config.rewrite.as_str();
    if function.is_empty() || found.operations.is_empty() {
        return Ok(found);
    }
    let operations = runner::rewritten(cx, function, &found.operations)?;
    let changes = autogenerate::rewritten(&found, operations, before, function)?;
    if changes.operations.is_empty() {
        let n = found.operations.len();
        let what =
            if n == 1 { "the difference".to_owned() } else { format!("all {n} differences") };
        cx.out.progress(format!("`{function}` leaves out {what} between models and migrations"));
    }
    Ok(changes)
}

/// Says what there is, as it was found, and what it became.
pub fn announce(cx: &Context, found: &[Operation], rewritten: &[Operation]) {
    if rewritten.is_empty() {
        return;
    }
    for operation in found {
        cx.out.done(style::found(&autogenerate::detected(operation)));
    }
    if found != rewritten {
        cx.out.done(format!("Rewritten by `{}` to:", cx.config.rewrite));
        for operation in rewritten {
            cx.out.done(format!("  {operation}"));
        }
    }
}
