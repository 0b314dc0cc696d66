//! `schema`: what the migrations build, for a file that reviews can read.

use dbmigrate_runtime::engine::dialect::Task;
use dbmigrate_runtime::engine::{plan, recording};
use dbmigrate_runtime::schema::Schema as Built;

use super::Answer;
use crate::autogenerate;
use crate::cli::Schema;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::run;

pub fn run(cx: &Context, args: &Schema) -> Result<Answer> {
    let history = History::load(cx)?;
    let (history, applied) = run::applied_at(cx, &history, &args.revision)?;
    let schema = history.migrations()?.replay(Some(&applied))?;
    let operations = autogenerate::between(&Built::default(), &schema);
    let text = if args.json {
        let encoded: serde_json::Value =
            serde_json::from_str(&recording::encode(&operations)).unwrap_or_default();
        format!("{encoded:#}\n")
    } else {
        let planned = plan::offline(&operations, &mut Built::default(), cx.dialect());
        let tasks = planned.map_err(|refusal| Error::new(refusal.to_string()))?;
        let sql = |task: &Task| Some(format!("{};\n", task.statement()?.sql));
        tasks.iter().filter_map(sql).collect::<Vec<_>>().join("\n")
    };
    cx.out.text(&text);
    cx.out.json(
        "schema",
        serde_json::json!({ "revisions": history.graph.current(&applied), "schema": text }),
    );
    Ok(Answer::Done)
}
