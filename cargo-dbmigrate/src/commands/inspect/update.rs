//! `inspect --update`: what the database has and the models lack, as a patch.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::record::ModelRecord;
use proc_macro2::LineColumn;
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
            let krate = existing.first().map_or("", |first| first.path.as_str());
            let code = match out {
                Some(_) => model.code.clone(),
                None => in_crate(&model.code, krate, &cx.project.package),
            };
            patch.append(&file, &code)?;
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
            "the patch adds {}; `git apply` takes it at the root of the repository, and `diff models \
             database` then lists what else differs",
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

    /// Adds fields at the end of a model's struct, and their enumerations after it. Returns whether
    /// there is a place for them.
    fn add_fields(&mut self, record: &ModelRecord, lacking: &[&ColumnCode]) -> Result<bool> {
        let path = file(self.cx, record);
        let (package, runtime) = (&self.cx.project.package, self.cx.project.runtime.clone());
        let fields: Vec<String> =
            lacking.iter().map(|code| in_crate(&code.field, &record.path, package)).collect();
        let enumerations = lacking.iter().filter_map(|code| code.enumeration.as_deref());
        let enumerations: Vec<&str> = enumerations.collect();
        let after = self.after(&path)?;
        let name = record.path.rsplit("::").next().unwrap_or_default();
        let is_there = |place: &Place, code: &ColumnCode| {
            let taken = |name: &String| code.field.contains(&format!("pub {name}: "));
            place.fields.iter().any(taken)
        };
        let place = Finder::place(after, name)
            .filter(|place| !lacking.iter().any(|code| is_there(place, code)));
        let Some(place) = place else {
            self.cx.out.warning(format!(
                "{} can't be extended by a patch; add these fields by hand:\n{}",
                models::location(record),
                [&fields.concat(), enumerations.concat().as_str()].concat().trim_end()
            ));
            return Ok(false);
        };
        let enumerations = enumerations.iter().map(|code| {
            // What the file imports, a module in it doesn't.
            let file = if place.outer.is_empty() { after.as_str() } else { "" };
            format!(
                "\n\n{}",
                indented(&qualified(code, file, &runtime), &place.outer, 0).trim_end()
            )
        });
        let enumerations: String = enumerations.collect();
        let fields: String = fields.iter().map(|code| indented(code, &place.inner, 4)).collect();
        // From the end, so that places before stay where they are.
        let rest = after[place.end..].trim_start_matches([' ', '\t']);
        let is_last = enumerations.is_empty() || rest.is_empty() || rest.starts_with(['\r', '\n']);
        let end = if is_last { place.end } else { after.len() - rest.len() };
        let gap = if is_last { "" } else { "\n\n" };
        after.replace_range(place.end..end, &format!("{enumerations}{gap}"));
        match place.line {
            Some(line) => after.insert_str(line, &fields),
            None => {
                let end = after[..place.brace].trim_end().len();
                after.replace_range(end..place.brace, &format!("\n{fields}{}", place.outer));
            }
        }
        if let Some(comma) = place.comma {
            after.insert(comma, ',');
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
            let diff = diff.unified_diff().header(&old, &format!("b/{shown}")).to_string();
            if diff.is_empty() {
                continue;
            }
            // Without this line, git takes paths as relative to the working directory.
            text += &format!("diff --git a/{shown} b/{shown}\n");
            if !path.exists() {
                text += "new file mode 100644\n";
            }
            text += &diff;
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

/// Code with the paths that a crate's own modules use.
fn in_crate(code: &str, path: &str, package: &str) -> String {
    let package = package.replace('-', "_");
    let own = path.split("::").next().unwrap_or_default();
    if own == package {
        return code.to_owned();
    }
    let refers_to = |krate: &str| format!("references = {krate}::");
    code.replace(&refers_to("crate"), &refers_to(&package))
        .replace(&refers_to(own), &refers_to("crate"))
}

/// Code that is indented by this many spaces, indented as the lines of a file are.
fn indented(code: &str, by: &str, spaces: usize) -> String {
    let unit = if by.contains('\t') { "\t" } else { "    " };
    let line = |line: &str| {
        let text = line.trim_start();
        let levels = (line.len() - text.len()).saturating_sub(spaces) / 4;
        format!("{by}{}{text}\n", unit.repeat(levels))
    };
    code.lines().map(line).collect()
}

/// Where a struct gets more fields.
struct Place {
    /// The closing brace.
    brace: usize,
    /// The beginning of its line, if nothing else is on it.
    line: Option<usize>,
    /// What follows the closing brace.
    end: usize,
    /// Where a comma is missing after the last field.
    comma: Option<usize>,
    /// The indentation of the struct.
    outer: String,
    /// The indentation of its fields.
    inner: String,
    /// The names of its fields.
    fields: Vec<String>,
}

/// Finds a struct in a file.
struct Finder<'a> {
    text: &'a str,
    name: &'a str,
    found: Vec<Place>,
}

impl Finder<'_> {
    /// `None` if the struct isn't there, or is there several times.
    fn place(text: &str, name: &str) -> Option<Place> {
        let file = syn::parse_file(text).ok()?;
        let mut finder = Finder { text, name, found: Vec::new() };
        finder.visit_file(&file);
        let mut found = finder.found.into_iter();
        found.next().filter(|_| found.next().is_none())
    }

    /// The bytes before a place.
    fn offset(&self, place: LineColumn) -> usize {
        let lines = self.text.split_inclusive('\n');
        let before: usize = lines.take(place.line - 1).map(str::len).sum();
        let line = &self.text[before..];
        before + line.chars().take(place.column).map(char::len_utf8).sum::<usize>()
    }

    /// The white space at the beginning of a line, and where that ends.
    fn indentation(&self, place: LineColumn) -> (&str, usize) {
        let begin = self.offset(LineColumn { column: 0, ..place });
        let line = &self.text[begin..];
        let length = line.len() - line.trim_start_matches([' ', '\t']).len();
        (&line[..length], begin + length)
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let syn::Fields::Named(fields) = &item.fields {
            if item.ident == self.name {
                let close = fields.brace_token.span.close();
                let (brace, end) = (self.offset(close.start()), self.offset(close.end()));
                let (_, close_at) = self.indentation(close.start());
                let (outer, _) = self.indentation(Spanned::span(item).start());
                let last = fields.named.last();
                let inner = last.and_then(|field| {
                    let start = Spanned::span(field).start();
                    let (indentation, end) = self.indentation(start);
                    (end == self.offset(start)).then_some(indentation)
                });
                let usual = if outer.contains('\t') { "\t" } else { "    " };
                let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
                let comma = last.map(|field| self.offset(Spanned::span(&field.ty).end()));
                self.found.push(Place {
                    brace,
                    line: (close_at == brace)
                        .then(|| self.offset(LineColumn { column: 0, ..close.start() })),
                    end,
                    comma: comma.filter(|_| !fields.named.trailing_punct()),
                    outer: outer.to_owned(),
                    inner: inner.map_or_else(|| format!("{outer}{usual}"), str::to_owned),
                    fields: names.map(ToString::to_string).collect(),
                });
            }
        }
        visit::visit_item_struct(self, item);
    }
}
