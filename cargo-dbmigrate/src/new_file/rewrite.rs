//! Applies the project's own rewriting function to a difference, if it has one.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use crate::autogenerate::{self, Changes};
use crate::context::Context;
use crate::error::Result;
use crate::output::style;
use crate::runner;

/// The changes as rewritten by the function in dbmigrate.toml; unchanged without one.
///
/// # Errors
///
/// When the function fails, or returns something that doesn't fit the schema before.
pub fn rewritten(cx: &Context, found: Changes, before: &Schema) -> Result<Changes> {
    let function = cx.config.rewrite.as_str();
    if function.is_empty() || found.operations.is_empty() {
        return Ok(found);
    }
    let operations = runner::rewritten(cx, function, &found.operations)?;
    let changes = autogenerate::rewritten(&found, operations, before, (function, cx.dialect()))?;
    if changes.operations.is_empty() {
        let n = found.operations.len();
        let what =
            if n == 1 { "the difference".to_owned() } else { format!("all {n} differences") };
        cx.out.progress(format!("`{function}` leaves out {what} between models and migrations"));
    }
    Ok(changes)
}

/// Reports the operations that were found, and what the function changed.
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
