//! `inspect`: models from the tables of a live database.

mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::dialect::{Catalog, Comparing, ObjectKind};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::folding::Folding;
use dbmigrate_runtime::schema::Table;

use super::Answer;
use crate::cli::Inspect;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::edits::Edit;
use crate::error::{Error, Result};
use crate::inspect::{self, ColumnCode, Crates, Model, Style};
use crate::models::own_features;
use crate::project::features::with_features;
use crate::project::{RUNTIME, name_of};
use crate::snapshot::{failed, is_own};
use crate::tool_tables;
use update::Existing;

pub fn run(cx: &Context, args: &Inspect) -> Result<Answer> {
    write(cx, args, None)
}

/// Makes an edit just before it is applied.
type ToInclude<'a> = &'a mut dyn FnMut() -> Result<Edit>;

/// Writes the models, and includes them in the crate by this edit. A file that has exactly these
/// models is included as it is: an interrupted process may have left it.
///
/// # Errors
///
/// As for `run`, and when the file has other contents.
pub(super) fn write_and_include(
    cx: &Context,
    args: &Inspect,
    including: ToInclude<'_>,
) -> Result<Answer> {
    write(cx, args, Some(including))
}

fn write(cx: &Context, args: &Inspect, including: Option<ToInclude<'_>>) -> Result<Answer> {
    let existing =
        if args.update { Existing::load(cx, args.out.as_deref())? } else { Existing::none() };
    let database = Database::find(cx)?;
    let opened = database.open_to_read(Patience::reading(cx))?;
    let mut driver = opened.ok_or_else(|| database.missing())?;
    // From the same point in time.
    driver.batch("BEGIN").map_err(failed)?;
    let res = read(cx, (args, &existing), &mut *driver);
    driver.rollback();
    let Found { models, left_out, folding } = res?;
    if models.is_empty() {
        let message = format!("no table of `{}` becomes a model", database.url());
        return Err(if args.tables.is_empty() {
            Error::new(message).hint("`-v` lists what the database has instead")
        } else {
            Error::new(message).hint(format!("`{}` matches none", args.tables.join("`, `")))
        });
    }
    if args.update {
        return update::run(cx, (args.out.as_deref(), folding), existing, &models);
    }
    let files = match &args.out {
        Some(out) if args.split => split(cx, out, &models, &left_out),
        Some(out) => vec![(out.clone(), whole(cx, &models, &left_out))],
        None => Vec::new(),
    };
    let files = files.into_iter().map(|(path, code)| Ok((absolute(&path)?, code)));
    let mut files = files.collect::<Result<Vec<_>>>()?;
    if including.is_some() {
        let is_there = |(path, code): &(PathBuf, String)| {
            fs::read(path).is_ok_and(|bytes| bytes == code.as_bytes())
        };
        files.retain(|file| !is_there(file));
    }
    let edits = files.iter().map(|(path, code)| {
        if path.exists() {
            let message = format!("`{}` exists already", cx.project.shown(path));
            return Err(Error::new(message).hint(match including {
                None => "give the name of a new file with --out",
                Some(_) => {
                    "include it in the crate if it has models, or give the name of a new file with \
                     --out"
                }
            }));
        }
        Ok(Edit::Create { path: path.clone(), bytes: code.clone().into_bytes() })
    });
    let mut edits = edits.collect::<Result<Vec<_>>>()?;
    if let Some(including) = including {
        edits.push(including()?);
    }
    cx.edits.apply(&edits)?;
    if args.out.is_none() {
        cx.out.text(&whole(cx, &models, &left_out));
    }
    for (path, _) in &files {
        cx.out.line(format!("Generating {} ... done", cx.project.shown(path)));
    }
    if !left_out.is_empty() {
        let list: String = left_out.iter().fold(String::new(), |mut list, what| {
            let _ = write!(list, "\n  {what}");
            list
        });
        cx.out.warning(format!("the models leave out:{list}"));
    }
    note_features(cx, models.iter().flat_map(|model| &model.columns));
    if cx.out.is_json() {
        let model = |model: &Model| serde_json::json!({ "table": model.table, "struct": model.name, "code": model.code });
        let document = serde_json::json!({
            "models": models.iter().map(model).collect::<Vec<_>>(),
            "left_out": left_out,
            "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        });
        cx.out.json("inspect", document);
    }
    // The process is about to end, and freeing takes as long as writing.
    std::mem::forget(models);
    Ok(Answer::Done)
}

/// Says which features of the runtime would give these columns the types of crates that the package
/// uses.
fn note_features<'a>(cx: &Context, columns: impl Iterator<Item = &'a ColumnCode>) {
    let features: BTreeSet<&str> = columns.filter_map(|column| column.lacks).collect();
    if features.is_empty() {
        return;
    }
    let features: Vec<&str> = features.into_iter().collect();
    let dependency = name_of(&cx.project.dependencies, RUNTIME);
    let dependency = dependency.as_deref().unwrap_or(RUNTIME);
    let list = features.join("`, `");
    let (feature, them) =
        if features.len() == 1 { ("feature", "it") } else { ("features", "them") };
    cx.out.note(format!(
        "no types of `{list}` are used, since `{dependency}` lacks the {feature} `{list}`; add \
         {them} to its `features` in Cargo.toml, and inspect again"
    ));
}

/// The models of a database, and what they leave out, in words.
struct Found {
    models: Vec<Model>,
    left_out: Vec<String>,
    /// When two names are the same to the database.
    folding: Folding,
}

fn read(
    cx: &Context,
    (args, existing): (&Inspect, &Existing),
    driver: &mut dyn Driver,
) -> Result<Found> {
    let conn = driver.as_connection();
    let facts = conn.facts().map_err(failed)?;
    let comparing = conn.dialect().comparing(&facts);
    let elsewhere = conn.dialect().tables_elsewhere(conn).map_err(failed)?;
    let is_wanted = wanted(cx, args, (&comparing, elsewhere.iter().cloned().collect()))?;
    let folding = comparing.folding;
    let has_model = |name: &str| existing.of(name, folding).is_some();
    // The tables of another schema have to be asked for.
    let is_named = |name: &String| !args.tables.is_empty() && is_wanted(name);
    let (named, elsewhere): (BTreeSet<String>, BTreeSet<String>) =
        elsewhere.into_iter().partition(|name| is_named(name) || has_model(name));
    let found = conn.catalog_with(None, &named).map_err(failed)?;
    let rest = conn.dialect().unsaid(conn).map_err(failed)?;
    // With --update, the others may be referred to.
    let is_read = |name: &str| is_wanted(name) || has_model(name);
    let all = args.tables.is_empty();
    let unsaid = unsaid(&found, &is_wanted, all);
    let tables = found.schema.tables.into_values();
    let tables = tables.filter(|table| is_read(&table.name) && !table.name.is_empty());
    let tables = tables.filter(|table| table.columns.iter().any(|column| !column.name.is_empty()));
    let tables: Vec<Table> = tables.map(|table| inspect::sayable(table, &found.beyond)).collect();
    let (own, taken) = (existing.by_table(cx, tables.iter(), folding), existing.names());
    let enumerations = existing.enumerations(cx);
    let names = tables.iter().map(|table| table.name.clone());
    let asked: BTreeSet<String> = names.filter(|name| is_wanted(name)).collect();
    let project = &cx.project;
    let chosen = own_features(cx);
    let dependencies = &with_features(&project.dependencies, &project.features, &chosen);
    let runtime = name_of(dependencies, RUNTIME);
    let crates = Crates::of(dependencies, runtime.as_deref().unwrap_or(RUNTIME));
    let style = Style {
        crates: &crates,
        naming: &cx.config.naming.0,
        backend: conn.dialect().backend(),
        singular: !args.keep_names,
        doc_comments: cx.config.doc_comments,
        comparing,
        asked: &asked,
        existing: &own,
        enumerations: &enumerations,
        taken: &taken,
    };
    let (models, keys) = inspect::models(conn, tables, &style).map_err(failed)?;
    let mut left_out = [keys, unsaid].concat();
    // Those of tables that aren't read belong to schemas, which are listed.
    let is_read = |table: &String| is_wanted(table) && !elsewhere.contains(table);
    let rest = found.unsaid.into_iter().chain(rest);
    let rest = rest.filter(|rest| rest.table.as_ref().map_or(all, is_read));
    left_out.extend(rest.map(|rest| rest.text));
    if all {
        left_out.extend(schemas(&elsewhere));
    }
    Ok(Found { models, left_out, folding })
}

/// Which tables become models: not those of migration tools, such as this one.
fn wanted<'a>(
    cx: &'a Context,
    args: &Inspect,
    (comparing, elsewhere): (&Comparing, BTreeSet<String>),
) -> Result<impl Fn(&str) -> bool + use<'a>> {
    let scope = cx.scope();
    let folding = comparing.folding;
    let patterns = args.tables.iter().map(|text| {
        let pattern = glob::Pattern::new(text);
        pattern.map_err(|err| Error::new(format!("`--tables {text}` is not a pattern: {err}")))
    });
    let patterns = patterns.collect::<Result<Vec<_>>>()?;
    // Only a pattern with a schema is about the tables of another one.
    let is_of = move |pattern: &glob::Pattern, name: &str| {
        pattern.matches(name) && (pattern.as_str().contains('.') || !elsewhere.contains(name))
    };
    Ok(move |name: &str| {
        scope.has_table(name)
            && !is_own(cx, folding, name)
            && !tool_tables::is_of_a_tool(name)
            && (patterns.is_empty() || patterns.iter().any(|pattern| is_of(pattern, name)))
    })
}

/// What no model can say, in words. Objects that aren't part of a table count if all tables are
/// wanted.
fn unsaid(found: &Catalog, is_wanted: &impl Fn(&str) -> bool, all: bool) -> Vec<String> {
    let unreadable = found.unreadable.iter().filter(|object| is_wanted(&object.name));
    let unreadable = unreadable.map(inspect::unreadable);
    let beyond = found.beyond.iter().filter(|beyond| is_wanted(&beyond.table));
    let beyond = beyond.map(inspect::feature);
    let others = found.others.iter().filter(|object| match object.kind {
        ObjectKind::Table => is_wanted(&object.name),
        // They belong to a virtual table, which is listed.
        ObjectKind::ShadowTable => false,
        _ => all,
    });
    let others = others.map(|object| format!("{} `{}`", object.kind, object.name));
    let tables = found.schema.tables.values().filter(|table| is_wanted(&table.name));
    let tables: Vec<&Table> = tables.collect();
    let tables = tables.iter().copied();
    let keys = tables.clone().flat_map(nullable_keys);
    let sequences = tables.clone().flat_map(|table| {
        inspect::of_sequences(table).map(|column| {
            format!("column `{}.{column}` takes its values from a sequence", table.name)
        })
    });
    let enumerations: BTreeSet<String> = tables
        .clone()
        .flat_map(inspect::of_enumerations)
        .map(|(name, why)| format!("enumeration `{name}` {why}"))
        .collect();
    let bare = tables.clone().filter(|table| table.columns.is_empty());
    let bare = bare.map(|table| format!("table `{}` has no columns", table.name));
    let nameless = tables.clone().filter(|table| {
        table.name.is_empty() || table.columns.iter().any(|column| column.name.is_empty())
    });
    let nameless = nameless.map(|table| {
        if table.name.is_empty() {
            "a table without a name".to_owned()
        } else {
            format!("table `{}` has a column without a name", table.name)
        }
    });
    let is_blank = |comment: &Option<String>| {
        comment.as_ref().is_some_and(|comment| comment.trim().is_empty())
    };
    let blank = tables.clone().flat_map(|table| {
        let columns = table.columns.iter().filter(|column| is_blank(&column.comment));
        let columns = columns.map(|column| format!("column `{}.{}`", table.name, column.name));
        let own = is_blank(&table.comment).then(|| format!("table `{}`", table.name));
        own.into_iter().chain(columns).collect::<Vec<_>>()
    });
    let blank = blank.map(|what| format!("{what} has a comment of white space alone"));
    let bare = bare.chain(nameless).chain(blank);
    let of_columns = keys.chain(sequences).chain(enumerations).chain(bare);
    unreadable.chain(beyond).chain(of_columns).chain(others).collect()
}

/// The schemas of these tables, with how to get their models.
fn schemas(tables: &BTreeSet<String>) -> Vec<String> {
    let mut n_tables: BTreeMap<&str, usize> = BTreeMap::new();
    for (schema, _) in tables.iter().filter_map(|name| name.split_once('.')) {
        *n_tables.entry(schema).or_default() += 1;
    }
    let line = |(schema, n): (&str, usize)| {
        let tables = if n == 1 { "1 table".to_owned() } else { format!("{n} tables") };
        format!("schema `{schema}` with {tables}, which needs `--tables \"{schema}.*\"`")
    };
    n_tables.into_iter().map(line).collect()
}

/// The columns of a primary key that may be NULL, as SQLite allows in most tables.
fn nullable_keys(table: &Table) -> impl Iterator<Item = String> + '_ {
    let is_key =
        |name: &String| table.primary_key.as_ref().is_some_and(|key| key.columns.contains(name));
    let columns = table.columns.iter().filter(move |column| is_key(&column.name));
    columns.filter(|column| column.nullable).map(|column| {
        format!(
            "column `{}.{}` may be NULL, although it is in the primary key",
            table.name, column.name
        )
    })
}

/// The comment that lists what the models leave out.
fn header(left_out: &[String]) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let line = |what: &String| format!("//   {}\n", what.replace(char::is_control, " "));
    let lines: String = left_out.iter().map(line).collect();
    format!("// These parts of the database are not in the models:\n{lines}\n")
}

/// The import of what these models use.
fn import(cx: &Context, models: &[&Model]) -> String {
    let runtime = &cx.project.runtime;
    if models.iter().any(|model| model.has_enumeration) {
        format!("use {runtime}::{{ColumnType, Model}};\n")
    } else {
        format!("use {runtime}::Model;\n")
    }
}

/// All models in one file.
fn whole(cx: &Context, models: &[Model], left_out: &[String]) -> String {
    let import = import(cx, &models.iter().collect::<Vec<_>>());
    let begin = [header(left_out), import].concat();
    let codes = models.iter().map(|model| model.code.as_str());
    std::iter::once(begin.as_str()).chain(codes).collect::<Vec<_>>().join("\n")
}

/// A file for each model, in the directory that belongs to the module `out`.
fn split(
    cx: &Context,
    out: &Path,
    models: &[Model],
    left_out: &[String],
) -> Vec<(PathBuf, String)> {
    let dir = if out.file_name().is_some_and(|name| name == "mod.rs") {
        out.parent().unwrap_or(Path::new("")).to_owned()
    } else {
        out.with_extension("")
    };
    let (mut used, mut modules, mut files) = (BTreeSet::new(), Vec::new(), Vec::new());
    for model in models {
        let module = inspect::unused(inspect::of_field(&model.name), &mut used);
        let mut code = import(cx, &[model]);
        if !model.refers_to.is_empty() {
            let others: Vec<_> = model.refers_to.iter().map(String::as_str).collect();
            let others = others.join(", ");
            let braced = model.refers_to.len() > 1;
            let others = if braced { format!("{{{others}}}") } else { others };
            let _ = write!(code, "\nuse super::{others};\n");
        }
        let _ = write!(code, "\n{}", model.code);
        files.push((dir.join(format!("{module}.rs")), code));
        modules.push(module);
    }
    // As rustfmt sorts them.
    modules.sort_unstable();
    let lines = |line: fn(&str) -> String| -> String {
        modules.iter().map(|module| line(&inspect::written(module))).collect()
    };
    let declared = lines(|module| format!("mod {module};\n"));
    let exported = lines(|module| format!("pub use {module}::*;\n"));
    files.insert(0, (out.to_owned(), format!("{}{declared}\n{exported}", header(left_out))));
    files
}

/// A path that is given relative to the working directory.
fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|err| Error::new(format!("`{}` is not a path", path.display())).cause(err))
}
