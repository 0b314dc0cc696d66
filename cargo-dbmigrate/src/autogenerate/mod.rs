//! Autogenerate: the operations that lead from what the migrations build to what the models say.

mod diff;
mod rename;

pub use diff::diff;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Column, DefaultValue, Schema};

use crate::error::{Error, Result};
use crate::models::Models;

/// What a person has said about the difference beforehand.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// `old:new` for tables, `table.old:table.new` for columns.
    pub renames: Vec<String>,
    /// What no rename names is dropped and added.
    pub no_renames: bool,
}

/// A difference, ready to be written as a revision.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub operations: Vec<Operation>,
}

impl Changes {
    /// The operations that discard rows or values.
    pub fn destructive(&self) -> Vec<&Operation> {
        self.operations.iter().filter(|it| is_destructive(it)).collect()
    }
}

/// Whether rows or values are gone after the operation.
pub fn is_destructive(operation: &Operation) -> bool {
    matches!(operation, Operation::DropTable { .. } | Operation::DropColumn { .. })
}

/// Compares what the migrations build with the models.
///
/// # Errors
///
/// A rename that names nothing, and a drop that meets an add of like type without an answer.
pub fn changes(migrations: &Schema, models: &Models, answers: &Answers) -> Result<Changes> {
    let mut schema = migrations.clone();
    let mut operations = rename::renames(&schema, models, answers)?;
    for it in &operations {
        it.apply(&mut schema).map_err(|err| Error::new(err.to_string()))?;
    }
    if !answers.no_renames {
        rename::refuse_ambiguous(&schema, &models.schema)?;
    }
    operations.extend(diff(&schema, &keep_names(&schema, &models.schema)));
    Ok(Changes { operations })
}

/// The models' schema with the names that equal constraints have in the migrations.
///
/// A renamed table or column leaves its constraints with the names that they were given by the
/// old ones. What they demand is the same, so that is no difference.
fn keep_names(migrations: &Schema, models: &Schema) -> Schema {
    fn keep<T: Clone + PartialEq>(was: &[T], now: &mut [T], name: impl Fn(&mut T) -> &mut String) {
        let taken: Vec<T> = now.to_vec();
        for it in now.iter_mut().filter(|it| !was.contains(it)) {
            let renamed = was.iter().find(|was| {
                let mut same = it.clone();
                let mut was_named = (*was).clone();
                name(&mut same).clone_from(name(&mut was_named));
                same == **was && !taken.contains(was)
            });
            if let Some(renamed) = renamed {
                *it = renamed.clone();
            }
        }
    }
    let mut kept = models.clone();
    for (name, table) in &mut kept.tables {
        let Some(was) = migrations.table(name) else { continue };
        keep(&was.uniques, &mut table.uniques, |it| &mut it.name);
        keep(&was.foreign_keys, &mut table.foreign_keys, |it| &mut it.name);
        keep(&was.checks, &mut table.checks, |it| &mut it.name);
        keep(was.primary_key.as_slice(), table.primary_key.as_mut_slice(), |it| &mut it.name);
    }
    kept
}

/// An added column that rows already in the table would have no value for.
pub fn needs_value(operations: &[Operation]) -> Option<(&str, &str)> {
    let has_none = |it: &Column| {
        !it.nullable
            && it.generated.is_none()
            && matches!(it.default, None | Some(DefaultValue::Literal(Value::Null)))
    };
    operations.iter().find_map(|it| match it {
        Operation::AddColumn { table, column, .. } if has_none(column) => {
            Some((table.as_str(), column.name.as_str()))
        }
        _ => None,
    })
}

/// ``Detected added table `user` ``
pub fn detected(operation: &Operation) -> String {
    let text = match operation {
        Operation::CreateTable(it) => format!("added table `{}`", it.name),
        Operation::DropTable { table } => format!("removed table `{table}`"),
        Operation::RenameTable { from, to } => format!("table `{from}` renamed to `{to}`"),
        Operation::AlterTable { table, .. } => format!("changed table `{table}`"),
        Operation::AddColumn { table, column, .. } => {
            format!("added column `{table}.{}`", column.name)
        }
        Operation::DropColumn { table, column } => format!("removed column `{table}.{column}`"),
        Operation::AlterColumn { table, column, change } => {
            let mut what = Vec::new();
            let mut say = |changed: bool, text: String| {
                if changed {
                    what.push(text);
                }
            };
            if let Some(ty) = &change.ty {
                say(true, format!("type to {ty}"));
            }
            if let Some(nullable) = change.nullable {
                say(true, if nullable { "to NULL" } else { "to NOT NULL" }.to_owned());
            }
            say(change.default.is_some(), "default".to_owned());
            say(change.autoincrement.is_some(), "autoincrement".to_owned());
            say(change.generated.is_some(), "generated expression".to_owned());
            say(change.collation.is_some(), "collation".to_owned());
            say(change.comment.is_some(), "comment".to_owned());
            format!("changed column `{table}.{column}`: {}", what.join(", "))
        }
        Operation::RenameColumn { table, from, to } => {
            format!("column `{table}.{from}` renamed to `{table}.{to}`")
        }
        Operation::AddPrimaryKey { table, primary_key } => {
            format!("added primary key `{}` on `{table}`", primary_key.name)
        }
        Operation::DropPrimaryKey { table, name } => {
            format!("removed primary key `{name}` on `{table}`")
        }
        Operation::AddUnique { table, unique } => {
            format!("added unique constraint `{}` on `{table}`", unique.name)
        }
        Operation::DropUnique { table, name } => {
            format!("removed unique constraint `{name}` on `{table}`")
        }
        Operation::AddForeignKey { table, foreign_key } => {
            format!("added foreign key `{}` on `{table}`", foreign_key.name)
        }
        Operation::DropForeignKey { table, name } => {
            format!("removed foreign key `{name}` on `{table}`")
        }
        Operation::AddCheck { table, check } => {
            format!("added check `{}` on `{table}`", check.name)
        }
        Operation::DropCheck { table, name } => format!("removed check `{name}` on `{table}`"),
        Operation::CreateIndex { table, index } => {
            format!("added index `{}` on `{table}`", index.name)
        }
        Operation::DropIndex { table, name } => format!("removed index `{name}` on `{table}`"),
        Operation::RenameIndex { table, from, to } => {
            format!("index `{from}` on `{table}` renamed to `{to}`")
        }
        other => other.to_string(),
    };
    format!("Detected {text}")
}
