//! Descriptions of what was found.

use dbmigrate_runtime::operations::{ColumnChange, Operation};

/// ``Detected added table `user` ``
pub fn detected(operation: &Operation) -> String {
    format!("Detected {}", found(operation))
}

/// ``added table `user` ``
pub fn found(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable(table) => format!("added table `{}`", table.name),
        Operation::DropTable { table } => format!("removed table `{table}`"),
        Operation::RenameTable { from, to } => format!("table `{from}` renamed to `{to}`"),
        Operation::AlterTable { table, change } => {
            let options = change.options.keys().map(|option| option.words().to_lowercase());
            let texts = named(&[
                (change.with.is_some(), "storage parameters"),
                (change.tablespace.is_some(), "tablespace"),
                (change.engine.is_some(), "engine"),
                (change.charset.is_some(), "character set"),
                (change.collation.is_some(), "collation"),
                (change.comment.is_some(), "comment"),
            ]);
            let parts: Vec<String> = options.chain(texts).collect();
            format!("changed table `{table}`: {}", parts.join(", "))
        }
        Operation::AddColumn { table, column, .. } => {
            format!("added column `{table}.{}`", column.name)
        }
        Operation::DropColumn { table, column } => format!("removed column `{table}.{column}`"),
        Operation::AlterColumn { table, column, change } => {
            let what = changes(change);
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
        Operation::CreateIndex { table, index } if index.is_exclusion() => {
            format!("added exclusion constraint `{}` on `{table}`", index.name)
        }
        Operation::CreateIndex { table, index } => {
            format!("added index `{}` on `{table}`", index.name)
        }
        Operation::DropIndex { table, name } => format!("removed index `{name}` on `{table}`"),
        Operation::RenameIndex { table, from, to } => {
            format!("index `{from}` on `{table}` renamed to `{to}`")
        }
        Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => operation.to_string(),
    }
}

fn changes(change: &ColumnChange) -> Vec<String> {
    let mut what = Vec::new();
    if let Some(ty) = &change.ty {
        what.push(format!("type to {ty}"));
    }
    if let Some(nullable) = change.nullable {
        what.push(if nullable { "to NULL" } else { "to NOT NULL" }.to_owned());
    }
    let parts = [
        (change.default.is_some(), "default"),
        (change.autoincrement.is_some(), "autoincrement"),
        (change.identity.is_some(), "identity"),
        (change.generated.is_some(), "generated expression"),
        (change.collation.is_some(), "collation"),
        (change.charset.is_some(), "character set"),
        (change.on_update_now.is_some(), "the time of the last change"),
        (change.invisible.is_some(), "visibility"),
        (change.comment.is_some(), "comment"),
    ];
    what.extend(named(&parts));
    what
}

fn named(parts: &[(bool, &str)]) -> Vec<String> {
    parts.iter().filter(|(is, _)| *is).map(|(_, part)| (*part).to_owned()).collect()
}
