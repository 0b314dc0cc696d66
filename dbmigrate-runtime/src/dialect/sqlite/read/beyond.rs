//! Features in a table's stored text that a schema can't represent.

use super::super::definition::{ClauseKind, ConstraintKind, Definition, KeyColumn};
use crate::dialect::{Beyond, Part, PartKind};
use crate::schema::{Column, Table, TableOption};

/// Features that only others can have written into a table's text, since no migration can express
/// them: the order and collation of a key's columns, and the resolution of conflicts. `ON CONFLICT
/// ABORT`, `COLLATE BINARY` and a key's collation that equals the column's own are SQLite's
/// defaults and don't count. `MATCH` is accepted by SQLite without any effect.
pub(super) fn of(definition: &Definition, table: &Table) -> Vec<Beyond> {
    let mut found = Found { table, beyond: Vec::new() };
    for item in &definition.columns {
        let columns = vec![item.name.clone()];
        for clause in &item.clauses {
            let name = clause.name.as_deref();
            match &clause.kind {
                ClauseKind::PrimaryKey { descending, conflict, .. } => {
                    if *descending {
                        let column = table.find_column(&item.name);
                        let is_integer = column.is_some_and(|column| super::is_integer(&column.ty));
                        let text = if is_integer && !table.has(TableOption::WithoutRowid) {
                            "is sorted DESC, so SQLite generates no values for it"
                        } else {
                            "is sorted DESC"
                        };
                        found.push(&columns, Some(primary_key()), text);
                    }
                    found.conflict(&columns, Some(primary_key()), conflict.as_deref());
                }
                ClauseKind::Unique { conflict } => {
                    found.conflict(&columns, Some(unique(name, &columns)), conflict.as_deref());
                }
                ClauseKind::NotNull { conflict } => {
                    found.conflict(&columns, None, conflict.as_deref());
                }
                _ => {}
            }
        }
    }
    for item in &definition.constraints {
        let name = item.name.as_deref();
        match &item.kind {
            ConstraintKind::PrimaryKey { columns, conflict, .. } => {
                found.key(columns, primary_key(), conflict.as_deref());
            }
            ConstraintKind::Unique { columns, conflict } => {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                found.key(columns, unique(name, &names), conflict.as_deref());
            }
            _ => {}
        }
    }
    found.beyond
}

fn primary_key() -> Part {
    Part { kind: PartKind::PrimaryKey, name: None, content: String::new() }
}

fn unique(name: Option<&str>, columns: &[String]) -> Part {
    let content = format!("on `{}`", columns.join("`, `"));
    Part { kind: PartKind::Unique, name: name.map(str::to_owned), content }
}

struct Found<'a> {
    table: &'a Table,
    beyond: Vec<Beyond>,
}

impl Found<'_> {
    /// Adds a feature of a constraint over these columns, or of the column itself if `part` is
    /// `None`.
    fn push(&mut self, columns: &[String], part: Option<Part>, text: impl Into<String>) {
        self.beyond.push(Beyond {
            table: self.table.name.clone(),
            columns: columns.to_vec(),
            part,
            text: text.into(),
        });
    }

    fn conflict(&mut self, columns: &[String], part: Option<Part>, conflict: Option<&str>) {
        let conflict = conflict.map(str::to_ascii_uppercase).filter(|word| word != "ABORT");
        if let Some(word) = conflict {
            let what = if part.is_some() { "has" } else { "is NOT NULL" };
            self.push(columns, part, format!("{what} ON CONFLICT {word}"));
        }
    }

    fn key(&mut self, key: &[KeyColumn], part: Part, conflict: Option<&str>) {
        let names: Vec<String> = key.iter().map(|key| key.name.clone()).collect();
        let find = |name: &str| {
            self.table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
        };
        // The key is then the rowid, whose order can't be chosen.
        let is_alias = |column: &Column| {
            let is_key = part.kind == PartKind::PrimaryKey && key.len() == 1;
            is_key && !self.table.has(TableOption::WithoutRowid) && super::is_integer(&column.ty)
        };
        let mut texts = Vec::new();
        for key_column in key {
            let column = find(&key_column.name);
            let own = column.and_then(|column| column.collation.as_deref()).unwrap_or("BINARY");
            let collation =
                key_column.collation.as_deref().filter(|name| !name.eq_ignore_ascii_case(own));
            if let Some(name) = collation {
                texts.push(format!("compares `{}` by the collation {name}", key_column.name));
            }
            if key_column.descending && !column.is_some_and(is_alias) {
                texts.push(format!("sorts `{}` DESC", key_column.name));
            }
        }
        texts.into_iter().for_each(|text| self.push(&names, Some(part.clone()), text));
        self.conflict(&names, Some(part), conflict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Type;

    #[test]
    fn the_order_of_a_key_is_said_unless_the_number_of_the_row_is_the_key() {
        let said = |end: &str| {
            let sql = format!("CREATE TABLE t (a INTEGER NOT NULL, PRIMARY KEY (a DESC)){end}");
            let definition = Definition::parse(&sql).unwrap();
            let mut table = Table::new("t").column(Column::new("a", Type::raw("INTEGER")));
            table.options.set(TableOption::WithoutRowid, !end.is_empty());
            of(&definition, &table).into_iter().map(|beyond| beyond.text).collect::<Vec<_>>()
        };
        assert_eq!(said(""), [""; 0]);
        assert_eq!(said(" WITHOUT ROWID"), ["sorts `a` DESC"]);
    }
}
