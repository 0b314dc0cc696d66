//! Renames: said by the model or by a flag, never guessed.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Schema, Table};

use super::Answers;
use crate::error::{Error, Result};
use crate::models::Models;

/// The renames that `renamed_from` and `--rename` say and that aren't done yet.
pub fn renames(from: &Schema, models: &Models, answers: &Answers) -> Result<Vec<Operation>> {
    let to = &models.schema;
    let mut tables: Vec<(String, String)> = Vec::new();
    let mut columns: Vec<(String, String, String)> = Vec::new();
    for record in models.records.iter().filter(|it| !it.unmanaged) {
        if let Some(old) = &record.renamed_from {
            tables.push((old.clone(), record.table.name.clone()));
        }
        for field in &record.fields {
            if let Some(old) = &field.renamed_from {
                columns.push((record.table.name.clone(), old.clone(), field.column.clone()));
            }
        }
    }
    // What a model says may be long done; what a flag says is meant now.
    tables.retain(|(old, new)| from.table(old).is_some() && from.table(new).is_none());
    for text in &answers.renames {
        let unknown = |what: String| {
            Error::new(format!("--rename {text}: {what}")).hint(
                "it is `old:new` for tables, `table.old:table.new` for columns, with the names \
                 in the database",
            )
        };
        let (old, new) = text.split_once(':').ok_or_else(|| unknown("it has no `:`".into()))?;
        match (old.split_once('.'), new.split_once('.')) {
            (None, None) => {
                if from.table(old).is_none() {
                    return Err(unknown(format!("the migrations build no table `{old}`")));
                }
                if to.table(new).is_none() || from.table(new).is_some() {
                    return Err(unknown(format!("`{new}` is no new table of the models")));
                }
                tables.push((old.to_owned(), new.to_owned()));
            }
            (Some((old_table, old)), Some((table, new))) => {
                let is_new = to.table(table).is_some_and(|it| it.find_column(new).is_some());
                if !is_new {
                    return Err(unknown(format!("the models have no column `{table}.{new}`")));
                }
                // The table may be named as it was or as it is renamed to.
                let was = tables.iter().find(|(_, new)| new == table);
                let was = was.map_or(table, |(old, _)| old.as_str());
                let has = |it: &str| from.table(it).is_some_and(|it| it.find_column(old).is_some());
                if !has(was) || ![was, table].contains(&old_table) {
                    let column = format!("{old_table}.{old}");
                    return Err(unknown(format!("the migrations build no column `{column}`")));
                }
                columns.push((table.to_owned(), old.to_owned(), new.to_owned()));
            }
            _ => return Err(unknown("one side is a table, the other a column".into())),
        }
    }
    tables.dedup();
    let mut operations: Vec<Operation> = Vec::new();
    for (from, to) in tables {
        operations.push(Operation::RenameTable { from, to });
    }
    for (table, old, new) in columns {
        let was = operations.iter().find_map(|it| match it {
            Operation::RenameTable { from, to } if *to == table => Some(from.as_str()),
            _ => None,
        });
        let was = from.table(was.unwrap_or(&table));
        let is_open = |it: &Table| it.find_column(&old).is_some() && it.find_column(&new).is_none();
        if was.is_some_and(is_open) {
            let rename = Operation::RenameColumn { table, from: old, to: new };
            if !operations.contains(&rename) {
                operations.push(rename);
            }
        }
    }
    Ok(operations)
}

/// Fails where a drop meets an add of like type: it may be a rename, and guessing either way may
/// lose what the rows hold.
pub fn refuse_ambiguous(from: &Schema, to: &Schema) -> Result<()> {
    let mut candidates = Vec::new();
    let gone = from.tables.values().filter(|it| to.table(&it.name).is_none());
    for old in gone {
        let new = to.tables.values().filter(|it| from.table(&it.name).is_none());
        for new in new.filter(|new| alike(old, new)) {
            candidates.push((
                format!("table `{}` is gone and table `{}` is new", old.name, new.name),
                format!("{}:{}", old.name, new.name),
            ));
        }
    }
    for (was, now) in from.tables.values().filter_map(|it| Some((it, to.table(&it.name)?))) {
        let gone = was.columns.iter().filter(|it| now.find_column(&it.name).is_none());
        for old in gone {
            let new = now.columns.iter().filter(|it| was.find_column(&it.name).is_none());
            for new in new.filter(|new| new.ty == old.ty) {
                candidates.push((
                    format!(
                        "column `{}` of table `{}` is gone and column `{}` is new",
                        old.name, was.name, new.name
                    ),
                    format!("{}.{}:{}.{}", was.name, old.name, was.name, new.name),
                ));
            }
        }
    }
    if candidates.is_empty() {
        return Ok(());
    }
    let mut message = "cannot tell renames from drops and adds:".to_owned();
    let mut flags = Vec::new();
    for (what, flag) in candidates {
        message += &format!("\n  {what}");
        flags.push(format!("--rename {flag}"));
    }
    Err(Error::new(message).hint(format!(
        "pass {} for renames, or --no-renames to drop the old and add the new; \
         `#[model(renamed_from = \"...\")]` says it in the model",
        flags.join(" or ")
    )))
}

/// Whether one table may be the other under a new name: most columns are the same.
fn alike(old: &Table, new: &Table) -> bool {
    let same = |it: &&dbmigrate_runtime::schema::Column| {
        new.find_column(&it.name).is_some_and(|new| new.ty == it.ty)
    };
    let n_same = old.columns.iter().filter(same).count();
    2 * n_same > old.columns.len().max(new.columns.len())
}
