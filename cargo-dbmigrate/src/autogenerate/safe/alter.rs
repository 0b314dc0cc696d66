//! Divides the change of a column.

use dbmigrate_runtime::operations::{ColumnChange, Operation};
use dbmigrate_runtime::schema::Type;

use super::{Divider, Phase};
use crate::autogenerate::keeps;

impl Divider<'_> {
    /// Divides the change of a column into what running programs don't notice, and what they may
    /// violate or still use.
    pub(super) fn alter_column(
        &mut self,
        (table, column): (&str, &str),
        change: &ColumnChange,
        loss: Option<String>,
    ) {
        let Some(was) = self.schema.table(table).and_then(|table| table.find_column(column)) else {
            return;
        };
        let was = was.clone();
        let about = format!("column `{table}.{column}`");
        let alter = |change: ColumnChange| Operation::AlterColumn {
            table: table.to_owned(),
            column: column.to_owned(),
            change,
        };
        if let (Type::Enum(_, values), Some(Type::Enum(_, kept))) = (&was.ty, &change.ty) {
            let gone: Vec<&str> =
                values.iter().filter(|value| !kept.contains(value)).map(String::as_str).collect();
            if !gone.is_empty() {
                let about = format!("`{}` of {about}", gone.join("`, `"));
                self.comment(Phase::Contract, loss);
                return self.push(Phase::Contract, alter(change.clone()), Some(about));
            }
        }
        let is_kept = |to: &Type| self.dialects.iter().all(|dialect| keeps(&was.ty, to, *dialect));
        let narrows = change.ty.as_ref().is_some_and(|to| !is_kept(to));
        let is_of_values = change.generated.is_some()
            || change.autoincrement.is_some()
            || change.identity.is_some()
            || change.collation.is_some()
            || change.charset.is_some();
        if narrows || is_of_values || change.using.is_some() {
            self.unsafe_changes.push(format!("{about} changes, with the values in it"));
            self.comment(Phase::Require, loss);
            return self.push(Phase::Require, alter(change.clone()), Some(about));
        }
        let mut expand = ColumnChange { nullable: None, fill: None, ..change.clone() };
        let mut contract = ColumnChange::new();
        if change.nullable == Some(true) {
            expand.nullable = Some(true);
        }
        let stays_required = !change.nullable.unwrap_or(was.nullable);
        if change.default == Some(None) && stays_required {
            expand.default = None;
            contract.default = Some(None);
        }
        if expand != ColumnChange::new() {
            self.push(Phase::Expand, alter(expand), None);
        }
        if change.nullable == Some(false) {
            let fill = change.fill.as_ref();
            let step = fill.and_then(|fill| self.fill(table, column, fill));
            self.push_fill(step);
            self.require(table, column, fill);
        }
        if contract != ColumnChange::new() {
            let about = format!("the default of {about}");
            self.push(Phase::Contract, alter(contract), Some(about));
        }
    }

    /// A comment on the next operation of a part.
    pub(super) fn comment(&mut self, phase: Phase, comment: Option<String>) {
        let Some(comment) = comment else { return };
        let upgrade = &mut self.parts.entry(phase).or_default().upgrade;
        upgrade.comments.insert(upgrade.operations.len(), comment);
    }
}
