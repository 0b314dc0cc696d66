//! `ensure-version`: creates the version table.

use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::{Migrations, script, version_table};

use super::Answer;
use crate::cli::{EnsureVersion, Run};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::Result;
use crate::run;

pub fn run(cx: &Context, args: &EnsureVersion) -> Result<Answer> {
    let table = &cx.config.version_table;
    if let Some(client) = args.script.client() {
        let create = version_table::create_text(cx.dialect(), cx.config.version_table())?;
        let text = format!("{create};\n");
        let text = script::for_client(&text, cx.dialect(), client);
        cx.out.text(&text);
        cx.out.json("ensure-version", serde_json::json!({ "table": table, "sql": text }));
        return Ok(Answer::Done);
    }
    let database = Database::find(cx)?;
    let mut options = run::options(cx, &Run::default());
    let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
    options.lock_timeout = patience.at_most;
    let mut observer = run::Progress::new(cx.out, 0);
    let mut executor = Executor {
        driver: &mut *driver,
        migrations: &Migrations::default(),
        options: &options,
        observer: &mut observer,
        steps: &mut OwnSteps,
    };
    executor.ensure_version_table()?;
    cx.out.json("ensure-version", serde_json::json!({ "table": table }));
    Ok(Answer::Done)
}
