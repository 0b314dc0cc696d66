//! `inspect --update`: what the database has and the models lack, as a patch.

mod derives;
mod source_file;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::folding::Folding;
use dbmigrate_runtime::engine::record::ModelRecord;
use dbmigrate_runtime::schema::Table;

use super::{absolute, note_features};
use crate::commands::Answer;
use crate::context::Context;
use crate::error::{Doing as _, Result};
use crate::inspect::{ColumnCode, ExistingEnum, ExistingModel, Model};
use crate::models;
use crate::paths;
use derives::SharedDerives;
use source_file::SourceFile;

/// The models that exist, with their files.
pub(super) struct Existing {
    records: Vec<ModelRecord>,
    files: BTreeMap<PathBuf, SourceFile>,
}

impl Existing {
    /// None, where all models are new.
    pub(super) fn none() -> Existing {
        Existing { records: Vec::new(), files: BTreeMap::new() }
    }

    /// Those of the project; `out` is the file of new ones.
    pub(super) fn load(cx: &Context, out: Option<&Path>) -> Result<Existing> {
        let records = models::load(cx)?.records;
        let mut files = BTreeMap::new();
        let own = records.iter().map(|model| Ok(file(cx, model)));
        for path in own.chain(out.into_iter().map(absolute)) {
            if let Entry::Vacant(entry) = files.entry(path?) {
                let file = read(entry.key(), &cx.project.runtime)?;
                entry.insert(file);
            }
        }
        Ok(Existing { records, files })
    }

    /// The model of a table.
    pub(super) fn of(&self, table: &str, folding: Folding) -> Option<&ModelRecord> {
        self.records.iter().find(|model| folding.same_table(&model.table.name, table))
    }

    /// The models of these tables of a database, by the tables' names.
    pub(super) fn by_table<'a>(
        &self,
        cx: &Context,
        tables: impl Iterator<Item = &'a Table>,
        folding: Folding,
    ) -> BTreeMap<String, ExistingModel> {
        let models = self.records.iter();
        let models: BTreeMap<String, &ModelRecord> =
            models.map(|model| (folding.folded_table(&model.table.name), model)).collect();
        let of = |table: &Table| {
            let record = *models.get(&folding.folded_table(&table.name))?;
            let field = |column: &String| {
                let mut fields = record.fields.iter();
                let field = fields.find(|field| folding.same(&field.column, column))?;
                Some((column.clone(), field.field.clone()))
            };
            let fields = table.columns.iter().filter_map(|column| field(&column.name)).collect();
            let place = self.files.get(&file(cx, record));
            let place = place.and_then(|file| file.place(struct_name(record), record.line));
            let names = record.fields.iter().map(|field| &field.field);
            let names = names.chain(place.into_iter().flat_map(|place| &place.fields));
            let names = names.cloned().collect();
            let model = ExistingModel { path: path(cx, record), fields, names };
            Some((table.name.clone(), model))
        };
        tables.filter_map(of).collect()
    }

    /// The names that no new item may have, since the files have them already.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.files.values().flat_map(SourceFile::names).cloned().collect()
    }

    /// The enums of the files, by their paths in the crates.
    pub(super) fn enumerations(&self, cx: &Context) -> Vec<ExistingEnum> {
        let mut enumerations = Vec::new();
        let mut seen = BTreeSet::new();
        for record in &self.records {
            let path = file(cx, record);
            let Some(source) = self.files.get(&path) else { continue };
            let place = source.place(struct_name(record), record.line);
            // One of them shows which module the file is.
            if place.is_none_or(|place| place.is_inside) || !seen.insert(path) {
                continue;
            }
            let path = self::path(cx, record);
            let module = path.rsplit_once("::").map_or("crate", |(module, _)| module);
            enumerations.extend(source.enums().map(|own| ExistingEnum {
                in_database: own.in_database.clone(),
                path: format!("{module}::{}", own.name),
            }));
        }
        enumerations
    }

    /// The derives that the enums of new fields need.
    fn shared_derives(&self, cx: &Context, found: &[Model], folding: Folding) -> SharedDerives {
        let mut shared = SharedDerives::default();
        for model in found {
            let Some(record) = self.of(&model.table, folding) else { continue };
            let place = self.files.get(&file(cx, record));
            let place = place.and_then(|file| file.place(struct_name(record), record.line));
            for code in lacking(record, model, folding) {
                shared.add(code.enumeration.as_deref(), place.map_or(&[], |place| &place.derives));
            }
        }
        shared
    }

    /// The file for models of new tables: the one with the most models of the package.
    fn usual_file(&self, cx: &Context) -> PathBuf {
        let is_own = |model: &&ModelRecord| path(cx, model).starts_with("crate::");
        let mut n_models: BTreeMap<PathBuf, usize> = BTreeMap::new();
        let any_own = self.records.iter().any(|model| is_own(&model));
        for model in self.records.iter().filter(|model| !any_own || is_own(model)) {
            *n_models.entry(file(cx, model)).or_default() += 1;
        }
        // Of several, the first one.
        let most = n_models.into_iter().rev().max_by_key(|(_, n)| *n);
        most.map_or_else(|| cx.project.package_dir.join("src/models.rs"), |(path, _)| path)
    }
}

fn read(path: &Path, runtime: &str) -> Result<SourceFile> {
    let text = match fs::read_to_string(path) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => String::new(),
        res => res.doing(|| format!("read `{}`", path.display()))?,
    };
    Ok(SourceFile::new(text, runtime))
}

/// The path of a model's struct in the crate: `crate::models::User`.
fn path(cx: &Context, model: &ModelRecord) -> String {
    let package = cx.project.package.replace('-', "_");
    match model.path.split_once("::") {
        Some((krate, rest)) if krate == package => format!("crate::{rest}"),
        _ => model.path.clone(),
    }
}

fn struct_name(model: &ModelRecord) -> &str {
    let name = model.path.rsplit("::").next().unwrap_or_default();
    name.trim_start_matches("r#")
}

/// The file of a model.
fn file(cx: &Context, model: &ModelRecord) -> PathBuf {
    cx.project.workspace_root.join(&model.file)
}

/// The columns that a model lacks.
fn lacking<'a>(
    record: &'a ModelRecord,
    found: &'a Model,
    folding: Folding,
) -> impl Iterator<Item = &'a ColumnCode> {
    let has =
        move |column: &str| record.table.columns.iter().any(|own| folding.same(&own.name, column));
    found.columns.iter().filter(move |code| !has(&code.column))
}

/// Prints the patch.
pub(super) fn run(
    cx: &Context,
    (out, folding): (Option<&Path>, Folding),
    existing: Existing,
    found: &[Model],
) -> Result<Answer> {
    let usual = match out {
        Some(out) => absolute(out)?,
        None => existing.usual_file(cx),
    };
    let shared = existing.shared_derives(cx, found, folding);
    let Existing { records, files } = existing;
    let krate = records.iter().find(|model| file(cx, model) == usual);
    let krate = krate.or(records.first()).map_or("", |model| model.path.as_str());
    let mut patch = Patch { cx, files, shared };
    let (mut added, mut is_warned) = (Vec::new(), false);
    let mut columns: Vec<&ColumnCode> = Vec::new();
    for model in found {
        let record = records.iter().find(|own| folding.same_table(&own.table.name, &model.table));
        let Some(record) = record else {
            let code = match out {
                Some(_) => model.code.clone(),
                None => in_crate(&model.code, krate, &cx.project.package),
            };
            patch.file(&usual)?.append(&code);
            added.push(format!("table `{}`", model.table));
            columns.extend(&model.columns);
            continue;
        };
        let lacking: Vec<&ColumnCode> = lacking(record, model, folding).collect();
        if lacking.is_empty() {
            continue;
        }
        columns.extend(&lacking);
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
    note_features(cx, columns.into_iter());
    let document = serde_json::json!({ "added": added, "patch": text });
    cx.out.json("inspect", document);
    Ok(Answer::Done)
}

/// Files with what is added to them.
struct Patch<'a> {
    cx: &'a Context,
    files: BTreeMap<PathBuf, SourceFile>,
    shared: SharedDerives,
}

impl Patch<'_> {
    fn file(&mut self, path: &Path) -> Result<&mut SourceFile> {
        match self.files.entry(path.to_owned()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(read(path, &self.cx.project.runtime)?)),
        }
    }

    /// Adds fields at the end of a model's struct, and their enumerations after it. Returns whether
    /// there is a place for them.
    fn add_fields(&mut self, record: &ModelRecord, lacking: &[&ColumnCode]) -> Result<bool> {
        let package = &self.cx.project.package;
        let fields: Vec<String> =
            lacking.iter().map(|code| in_crate(&code.field, &record.path, package)).collect();
        let (place, path) = ((struct_name(record), record.line), file(self.cx, record));
        self.file(&path)?;
        let Some(file) = self.files.get_mut(&path) else { return Ok(false) };
        let Some(derives) = file.place(place.0, place.1).map(|place| place.derives.clone()) else {
            let enums = lacking.iter().filter_map(|code| code.declared.as_deref());
            self.cx.out.warning(format!(
                "{} can't be extended by a patch; add these fields by hand:\n{}",
                models::location(record),
                [fields.concat(), enums.collect()].concat().trim_end()
            ));
            return Ok(false);
        };
        let enums = lacking.iter().filter_map(|code| {
            let name = code.enumeration.as_deref()?;
            Some(derives::added(code.declared.as_deref()?, &self.shared.of(name, &derives)))
        });
        file.extend(place, &fields, &enums.collect::<Vec<_>>());
        let existing = self.files.values().flat_map(SourceFile::enums);
        let unmet = derives::unmet(&derives, lacking, &existing.collect::<Vec<_>>());
        if !unmet.is_empty() {
            self.cx.out.warning(format!(
                "{} derives traits that the types of its new fields lack, so it does not compile \
                 with the patch:\n  {}\n  remove these derives, or change the types",
                models::location(record),
                unmet.join("\n  ")
            ));
        }
        Ok(true)
    }

    /// The patch; empty if no file changes.
    fn text(&self) -> String {
        let root = git_root(&self.cx.project.package_dir);
        let mut text = String::new();
        for (path, file) in &self.files {
            let shown = paths::relative(&root, path);
            let old = if path.exists() { format!("a/{shown}") } else { "/dev/null".to_owned() };
            let diff = file.diff(&old, &format!("b/{shown}"));
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
