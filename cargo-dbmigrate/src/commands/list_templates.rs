//! `list-templates`: the templates for `init --template`.

use super::Answer;
use crate::output::Output;
use crate::scaffold::{BUILT_IN, BuiltIn};

pub fn run(out: Output) -> Answer {
    let width = BUILT_IN.iter().map(|built_in| built_in.name.len()).max().unwrap_or_default();
    for built_in in BUILT_IN {
        out.line(format!("{:width$} - {}", built_in.name, built_in.description));
    }
    let template = |built_in: &BuiltIn| serde_json::json!({ "name": built_in.name, "description": built_in.description });
    let templates: Vec<_> = BUILT_IN.iter().map(template).collect();
    out.json("list-templates", serde_json::json!({ "templates": templates }));
    Answer::Done
}
