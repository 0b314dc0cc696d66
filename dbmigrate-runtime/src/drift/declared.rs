//! What revisions declare about the results of their SQL and their steps.

use std::collections::BTreeSet;

use crate::dialect::{Catalog, ObjectKind, ObjectName};
use crate::folding::Folding;
use crate::operations::{Operation, OtherObject};

/// What revisions declare about the results of their SQL and their steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    folding: Folding,
    /// The tables that SQL described, folded. The SQL may have given them further features.
    tables: BTreeSet<String>,
    /// Views and the like.
    objects: Vec<OtherObject>,
}

impl Declared {
    /// No declarations, for a database with this folding of names.
    pub fn nothing(folding: Folding) -> Declared {
        Declared { folding, tables: BTreeSet::new(), objects: Vec::new() }
    }

    /// The declarations of applied revisions, in the order in which they ran.
    pub fn of<'a>(folding: Folding, operations: impl Iterator<Item = &'a Operation>) -> Declared {
        let mut declared = Declared::nothing(folding);
        operations.for_each(|operation| declared.follow(operation));
        declared
    }

    fn follow(&mut self, operation: &Operation) {
        let folding = self.folding;
        match operation {
            Operation::Execute(operation) => {
                let tables = operation.describes.iter().flat_map(Operation::tables);
                self.tables.extend(tables.map(|name| folding.folded_table(name)));
                operation.describes.iter().for_each(|described| self.follow(described));
            }
            Operation::RenameTable { from, to } => {
                if self.tables.remove(&folding.folded_table(from)) {
                    self.tables.insert(folding.folded_table(to));
                }
                for object in &mut self.objects {
                    let table =
                        object.table.as_mut().filter(|table| folding.same_table(table, from));
                    table.into_iter().for_each(|table| to.clone_into(table));
                }
            }
            Operation::DropTable { table } => {
                self.tables.remove(&folding.folded_table(table));
                let is_on = |object: &OtherObject| {
                    object.table.as_ref().is_some_and(|text| folding.same_table(text, table))
                };
                self.objects.retain(|object| !is_on(object));
            }
            Operation::Makes(made) => {
                self.objects.retain(|object| !object.is(made, folding));
                self.objects.push(made.clone());
            }
            Operation::Drops(dropped) => self.objects.retain(|object| !object.is(dropped, folding)),
            Operation::CreateTable(_)
            | Operation::AlterTable { .. }
            | Operation::AddColumn { .. }
            | Operation::DropColumn { .. }
            | Operation::AlterColumn { .. }
            | Operation::RenameColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::AddCheck { .. }
            | Operation::DropCheck { .. }
            | Operation::CreateIndex { .. }
            | Operation::DropIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::BulkInsert { .. }
            | Operation::Run(_) => {}
        }
    }

    /// Removes objects of tables that aren't compared. Views are matched by name, like tables.
    pub fn retain(&mut self, is_compared: impl Fn(&str) -> bool) {
        self.objects.retain(|object| is_compared(object.table.as_ref().unwrap_or(&object.name)));
    }

    pub(super) fn folding(&self) -> Folding {
        self.folding
    }

    pub(super) fn n_objects(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn has_table(&self, name: &str) -> bool {
        self.tables.contains(&self.folding.folded_table(name))
    }

    /// Declared objects that don't exist.
    pub(super) fn missing<'a>(
        &'a self,
        found: &'a Catalog,
    ) -> impl Iterator<Item = &'a OtherObject> {
        self.objects.iter().filter(|object| {
            !found.others.iter().any(|found| {
                object.is(&OtherObject::new(found.kind.as_str(), &found.name), self.folding)
            })
        })
    }

    /// Existing objects that aren't declared, in the order in which they were found. A virtual
    /// table's shadow tables count as part of it.
    pub(super) fn undeclared(&self, found: &Catalog) -> Vec<ObjectName> {
        let is_behind = |name: &str, object: &OtherObject| {
            let (start, end) = name.split_at_checked(object.name.len()).unwrap_or_default();
            object.kind == "virtual table"
                && self.folding.same_table(start, &object.name)
                && end.starts_with('_')
        };
        let is_declared = |ObjectName { kind, name }: &&ObjectName| {
            let of_kind = OtherObject::new(kind.as_str(), name);
            self.objects.iter().any(|object| {
                if *kind == ObjectKind::ShadowTable {
                    is_behind(name, object)
                } else {
                    object.is(&of_kind, self.folding)
                }
            })
        };
        found.others.iter().filter(|object_name| !is_declared(object_name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_table_has_only_the_tables_that_are_named_after_it() {
        let mut declared = Declared::nothing(Folding::ASCII);
        declared.follow(&Operation::Makes(OtherObject::new("virtual table", "docs")));
        let object = |kind, name: &str| ObjectName { kind, name: name.to_owned() };
        let others = vec![
            object(ObjectKind::ShadowTable, "Docs_content"),
            object(ObjectKind::ShadowTable, "docs2_content"),
            object(ObjectKind::ShadowTable, "döcs"),
        ];
        let found = Catalog { others: others.clone(), ..Catalog::default() };
        assert_eq!(declared.undeclared(&found), others[1..]);
    }
}
