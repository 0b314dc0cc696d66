//! The options of a run, from the arguments and the settings.

use std::time::Duration;

use dbmigrate_runtime::{Halfway, Options};

use crate::cli::{Run, Transaction};
use crate::context::Context;

/// The executor's options from these arguments, or else from the settings.
pub fn options(cx: &Context, args: &Run) -> Options {
    Options {
        transaction_each: args.transaction.unwrap_or(cx.config.transaction) == Transaction::Each,
        lock_timeout: Duration::from_secs(args.lock_timeout.unwrap_or(cx.config.lock_timeout)),
        args: args.args.clone(),
        version_table: cx.config.version_table.clone(),
        version_table_schema: cx.config.version_table_schema.clone(),
        allow_ahead: false,
        past_barriers: args.past_barriers,
        batch_pause: Duration::from_millis(args.batch_pause.unwrap_or(cx.config.batch_pause)),
        halfway: match (args.resume, args.restart) {
            (true, _) => Halfway::Resume,
            (false, true) => Halfway::Restart,
            (false, false) => Halfway::Continue,
        },
        ..Options::default()
    }
}
