//! `schema`: what the migrations build, for a file that reviews can read.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::Task;
use dbmigrate_runtime::engine::{plan, recording};
use dbmigrate_runtime::schema::Schema as Built;

use super::Answer;
use crate::autogenerate;
use crate::cli::Schema;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;

pub fn run(cx: &Context, args: &Schema) -> Result<Answer> {
    let history = History::load(cx)?;
    let (history, applied) = history.to_understand(cx, &[&args.revision])?;
    let history = history.naming(&[&args.revision])?;
    let target = history.graph.target(&args.revision, applied.as_ref())?;
    let ids: BTreeSet<String> =
        history.graph.with_ancestors(&target.ids()).into_iter().map(str::to_owned).collect();
    let schema = history.migrations()?.replay(Some(&ids))?;
    let operations = autogenerate::between(&Built::default(), &schema);
    let text = if args.json {
        let encoded: serde_json::Value =
            serde_json::from_str(&recording::encode(&operations)).unwrap_or_default();
        format!("{encoded:#}\n")
    } else {
        let planned = plan::offline(&operations, &mut Built::default(), cx.dialect());
        let tasks = planned.map_err(|refusal| Error::new(refusal.to_string()))?;
        let sql = |task: &Task| match task {
            Task::Statement(statement) => Some(format!("{};\n", statement.sql)),
            Task::Alone(alone) => Some(format!("{};\n", alone.statement.sql)),
            _ => None,
        };
        tasks.iter().filter_map(sql).collect::<Vec<_>>().join("\n")
    };
    cx.out.text(&text);
    cx.out.json("schema", serde_json::json!({ "revisions": target.ids(), "schema": text }));
    Ok(Answer::Done)
}
