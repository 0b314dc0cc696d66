//! `erd`: a picture of the schema.

use std::collections::BTreeSet;

use super::Answer;
use crate::cli::{Erd, Form};
use crate::context::Context;
use crate::erd::{self, Drawing};
use crate::error::Result;
use crate::history::{self, History};

pub fn run(cx: &Context, args: &Erd) -> Result<Answer> {
    let history = History::load(cx)?;
    let (history, applied) = history.to_understand(cx, &[&args.revision])?;
    let history = history.naming(&[&args.revision])?;
    let graph = &history.graph;
    let ids = graph.target(&args.revision, applied.as_ref())?;
    let ids: Vec<String> = ids.ids().into_iter().map(str::to_owned).collect();
    let borrowed: Vec<&str> = ids.iter().map(String::as_str).collect();
    let all: BTreeSet<String> =
        graph.with_ancestors(&borrowed).into_iter().map(str::to_owned).collect();
    let migrations = history.migrations()?;
    let after = migrations.replay(Some(&all))?;
    let before = if args.diff {
        let id = history::one(graph, &applied.unwrap_or_default(), &args.revision)?;
        let before = all.iter().filter(|other| other.as_str() != id).cloned().collect();
        Some(migrations.replay(Some(&before))?)
    } else {
        None
    };
    let drawing = Drawing::of(before.as_ref(), &after);
    let (form, text) = match args.form {
        Form::Mermaid => ("mermaid", erd::mermaid(&drawing)),
        Form::Dot => ("dot", erd::dot(&drawing)),
        Form::Svg => ("svg", erd::svg(&drawing)),
    };
    cx.out.text(&text);
    cx.out.json("erd", serde_json::json!({ "form": form, "text": text }));
    Ok(Answer::Done)
}
