//! `inspect --update`: what the database has and the models lack, as a patch.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::record::ModelRecord;
use similar::TextDiff;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::absolute;
use crate::commands::Answer;
use crate::context::Context;
use crate::edits;
use crate::error::{Doing as _, Error, Result};
use crate::inspect::{ColumnCode, Model};
use crate::models;
use crate::paths;

/// The models that exist.
pub(super) fn existing(cx: &Context) -> Result<Vec<ModelRecord>> {
    Ok(models::load(cx)?.records)
}

/// The path of a model's struct in the crate: `crate::models::User`.
pub(super) fn path(cx: &Context, model: &ModelRecord) -> String {
    let package = cx.project.package.replace('-', "_");
    match model.path.split_once("::") {
        Some((krate, rest)) if krate == package => format!("crate::{rest}"),
        _ => model.path.clone(),
    }
}

/// Prints the patch.
pub(super) fn run(
    cx: &Context,
    out: Option<&Path>,
    existing: &[ModelRecord],
    found: &[Model],
) -> Result<Answer> {
    let folding = cx.name_rules().folding;
    let mut patch = Patch { cx, files: BTreeMap::new() };
    let (mut added, mut is_warned) = (Vec::new(), false);
    for model in found {
        let record = existing.iter().find(|own| folding.same_table(&own.table.name, &model.table));
        let Some(record) = record else {
            let file = match (out, existing.first()) {
                (Some(out), _) => absolute(out)?,
                (None, Some(first)) => file(cx, first),
                (None, None) => cx.project.package_dir.join("src/models.rs"),
            };
            patch.append(&file, &model.code)?;
            added.push(format!("table `{}`", model.table));
            continue;
        };
        let has =
            |column: &str| record.table.columns.iter().any(|own| folding.same(&own.name, column));
        let lacking: Vec<&ColumnCode> =
            model.columns.iter().filter(|code| !has(&code.column)).collect();
        if lacking.is_empty() {
            continue;
        }
        if !patch.add_fields(record, &lacking)? {
            is_warned = true;
            continue;
        }
        added
            .extend(lacking.iter().map(|code| format!("column `{}.{}`", model.table, code.column)));
    }
    let text = patch.text();
    cx.out.text(&text);
    if added.is_empty() && !is_warned {
        cx.out.progress("the models have every table and column of the database");
    } else if !added.is_empty() {
        cx.out.progress(format!(
            "the patch adds {}; `git apply` takes it, and `diff models database` then lists what \
             else differs",
            added.join(", ")
        ));
    }
    let document = serde_json::json!({ "added": added, "patch": text });
    cx.out.json("inspect", document);
    Ok(Answer::Done)
}

/// The file of a model.
fn file(cx: &Context, model: &ModelRecord) -> PathBuf {
    cx.project.workspace_root.join(&model.file)
}

/// Files with what is added to them.
struct Patch<'a> {
    cx: &'a Context,
    /// Each with its text before and after.
    files: BTreeMap<PathBuf, (String, String)>,
}

impl Patch<'_> {
    /// The text of a file as it will be.
    fn after(&mut self, file: &Path) -> Result<&mut String> {
        if !self.files.contains_key(file) {
            let text = match fs::read_to_string(file) {
                Err(err) if err.kind() == std::io::ErrorKind::NotFound => String::new(),
                res => res.doing(|| format!("read `{}`", file.display()))?,
            };
            self.files.insert(file.to_owned(), (text.clone(), text));
        }
        let entry = self.files.get_mut(file);
        entry.map(|(_, after)| after).ok_or_else(|| Error::new("the file was just read"))
    }

    /// Adds items at the end of a file.
    fn append(&mut self, file: &Path, code: &str) -> Result<()> {
        let runtime = self.cx.project.runtime.clone();
        let after = self.after(file)?;
        let code = qualified(code, after, &runtime);
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        if !after.is_empty() {
            after.push('\n');
        }
        after.push_str(&code);
        Ok(())
    }

    /// Adds fields at the end of a model's struct, and their enumerations at the end of its file.
    /// Returns whether it has room for them.
    fn add_fields(&mut self, record: &ModelRecord, lacking: &[&ColumnCode]) -> Result<bool> {
        let path = file(self.cx, record);
        let after = self.after(&path)?;
        let name = record.path.rsplit("::").next().unwrap_or_default();
        let is_there = |place: &Place, code: &ColumnCode| {
            let taken = |name: &String| code.field.contains(&format!("pub {name}: "));
            place.fields.iter().any(taken)
        };
        let place = Finder::place(after, name)
            .filter(|place| !lacking.iter().any(|code| is_there(place, code)));
        let Some(place) = place else {
            let fields: String = lacking.iter().map(|code| code.field.as_str()).collect();
            self.cx.out.warning(format!(
                "{} can't be extended by a patch; add these fields by hand:\n{}",
                models::location(record),
                fields.trim_end()
            ));
            return Ok(false);
        };
        let mut lines: Vec<String> = after.split_inclusive('\n').map(str::to_owned).collect();
        let indented = |field: &str| -> String {
            let more = " ".repeat(place.indentation.saturating_sub(4));
            field.lines().map(|line| format!("{more}{line}\n")).collect()
        };
        let fields: String = lacking.iter().map(|code| indented(&code.field)).collect();
        if let Some(last) = place.lacks_comma {
            lines[last] = lines[last].trim_end().to_owned() + ",\n";
        }
        lines.insert(place.line, fields);
        *after = lines.concat();
        for enumeration in lacking.iter().filter_map(|code| code.enumeration.as_deref()) {
            self.append(&path, enumeration)?;
        }
        Ok(true)
    }

    /// The patch; empty if no file changes.
    fn text(&self) -> String {
        let root = git_root(&self.cx.project.package_dir);
        let mut text = String::new();
        for (path, (before, after)) in &self.files {
            let after = edits::in_line_breaks_of(before, after.clone());
            let shown = paths::relative(&root, path);
            let old = if path.exists() { format!("a/{shown}") } else { "/dev/null".to_owned() };
            let diff = TextDiff::from_lines(before, &after);
            text += &diff.unified_diff().header(&old, &format!("b/{shown}")).to_string();
        }
        text
    }
}

/// The directory that a patch's paths are relative to.
fn git_root(dir: &Path) -> PathBuf {
    let roots = dir.ancestors().find(|dir| dir.join(".git").exists());
    roots.unwrap_or(dir).to_owned()
}

/// The derives with their paths, where the file doesn't import them.
fn qualified(code: &str, file: &str, runtime: &str) -> String {
    ["Model", "ColumnType"].iter().fold(code.to_owned(), |code, derive| {
        let is_imported = file.lines().any(|line| {
            let line = line.trim_start().trim_start_matches("pub ");
            line.starts_with("use ") && (line.contains(derive) || line.contains("prelude::*"))
        });
        let short = format!("#[derive({derive})]");
        let long = format!("#[derive({runtime}::{derive})]");
        if is_imported { code } else { code.replace(&short, &long) }
    })
}

/// Where a struct gets more fields.
struct Place {
    /// The index of the line before which they are inserted.
    line: usize,
    /// How far its fields are indented.
    indentation: usize,
    /// The index of the last field's line, if no comma follows it.
    lacks_comma: Option<usize>,
    /// The names of its fields.
    fields: Vec<String>,
}

/// Finds a struct in a file.
struct Finder<'a> {
    name: &'a str,
    found: Vec<Place>,
}

impl Finder<'_> {
    /// `None` if the struct isn't there, is there several times, or has no lines for fields.
    fn place(text: &str, name: &str) -> Option<Place> {
        let file = syn::parse_file(text).ok()?;
        let mut finder = Finder { name, found: Vec::new() };
        finder.visit_file(&file);
        let mut found = finder.found.into_iter();
        found.next().filter(|_| found.next().is_none())
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let syn::Fields::Named(fields) = &item.fields {
            let (open, close) = (fields.brace_token.span.open(), fields.brace_token.span.close());
            let line = close.start().line;
            let ends = fields.named.iter().map(|field| Spanned::span(&field.ty).end().line);
            // The last line has room only if it has nothing but the brace.
            let has_room = open.start().line < line && ends.max().is_none_or(|end| end < line);
            if item.ident == self.name && has_room {
                let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
                let last = fields.named.last();
                let end = last.map(|field| Spanned::span(&field.ty).end().line - 1);
                self.found.push(Place {
                    line: line - 1,
                    indentation: close.start().column + 4,
                    lacks_comma: end.filter(|_| !fields.named.trailing_punct()),
                    fields: names.map(ToString::to_string).collect(),
                });
            }
        }
        visit::visit_item_struct(self, item);
    }
}
