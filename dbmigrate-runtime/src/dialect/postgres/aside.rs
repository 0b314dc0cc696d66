//! What has to be dropped before a column is changed, and created again afterwards.
//!
//! PostgreSQL keeps expressions with the types that they had, so a check or a partial index over a
//! column fails when the column gets another type, although its text would be right. With a column
//! that is replaced goes everything that is over it.

use std::collections::{BTreeMap, BTreeSet};

use super::ddl::{self, Ddl};
use super::{cost, text_enum};
use crate::dialect::{Cost, POSTGRES, Refusal, Work};
use crate::schema::{Column, Index, IndexTerm, Table};
use crate::sql::quote;

/// Statements with what they cost.
pub(super) type Statements = Vec<(String, Cost)>;

/// The columns of a table that change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changing<'a> {
    pub(super) table: &'a Table,
    /// Those whose type changes.
    pub(super) retyped: &'a [&'a str],
    /// Whether expressions over those mean something else afterwards.
    pub(super) is_other_meaning: bool,
    /// Those that are dropped and added again.
    pub(super) replaced: &'a [&'a str],
}

#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Statements before the change.
    pub(super) down: Statements,
    /// Statements after it.
    pub(super) up: Statements,
    /// Columns whose foreign keys, on either side, have to be dropped as well.
    pub(super) keys_of: Vec<String>,
}

/// Sets aside what depends on columns that change, except what the database lacks already.
pub(super) fn aside(
    ddl: &Ddl<'_>,
    changing: Changing<'_>,
    absent: &BTreeSet<(String, String)>,
    other_names: &BTreeMap<(String, String), String>,
) -> Result<Aside, Refusal> {
    let table = changing.table;
    let mut gone: Vec<&str> = changing.replaced.to_vec();
    let mut mentioned: Vec<&str> = [changing.retyped, changing.replaced].concat();
    let mut generated: Vec<&Column> = Vec::new();
    // A generated column can't depend on another one.
    for column in &table.columns {
        let depends = column.generated.as_ref().is_some_and(|generated| {
            mentioned.iter().any(|name| POSTGRES.names_column(&generated.expression, name))
        });
        if depends && !mentioned.contains(&column.name.as_str()) {
            generated.push(column);
        }
    }
    if !changing.is_other_meaning {
        mentioned = changing.replaced.to_vec();
    }
    gone.extend(generated.iter().map(|column| column.name.as_str()));
    mentioned.extend(generated.iter().map(|column| column.name.as_str()));
    let has_gone = |columns: &[String]| columns.iter().any(|name| gone.contains(&name.as_str()));
    let mentions = |text: &str| mentioned.iter().any(|name| POSTGRES.names_column(text, name));
    let is_present = |name: &str| !absent.contains(&(table.name.clone(), name.to_owned()));
    let alter = format!("ALTER TABLE {}", ddl::relation(&table.name));
    let catalog = || cost::alter(&table.name, Work::None);
    let mut aside = Aside::default();
    let drop = |name: &str| {
        let own = other_names.get(&(table.name.clone(), name.to_owned()));
        format!("{alter} DROP CONSTRAINT {}", quote(own.map_or(name, String::as_str)))
    };
    let checks =
        table.checks.iter().filter(|check| mentions(&check.expression) && is_present(&check.name));
    let uniques = table.uniques.iter().filter(|unique| {
        (has_gone(&unique.columns) || has_gone(&unique.include)) && is_present(&unique.name)
    });
    let key = table.primary_key.iter().filter(|key| has_gone(&key.columns));
    let indexes = table.indexes.iter().filter(|index| {
        (has_column(index, &gone) || expressions(index).any(&mentions)) && is_present(&index.name)
    });
    for column in &generated {
        let (name, definition) = (quote(&column.name), ddl.column(table, column, false)?);
        aside.down.push((format!("{alter} DROP COLUMN {name}"), catalog()));
        let work = ddl::work_of_column(column, false);
        let add = format!("{alter} ADD COLUMN {definition}");
        aside.up.push((add, cost::alter(&table.name, work)));
        if let Some(check) = text_enum::check_of(&table.name, column) {
            let add = format!("{alter} ADD {}", ddl::check(&check));
            aside.up.push((add, cost::alter(&table.name, Work::Scan)));
        }
        if let Some(comment) = &column.comment {
            let sql = ddl::comment_on_column(&table.name, &column.name, Some(comment));
            aside.up.push((sql, cost::comment(&table.name)));
        }
    }
    for key in key {
        aside.down.insert(0, (drop(&key.name), catalog()));
        let add = format!("{alter} ADD {}", ddl::primary_key(key));
        aside.up.push((add, cost::alter(&table.name, Work::IndexBuild)));
    }
    for unique in uniques {
        aside.down.insert(0, (drop(&unique.name), catalog()));
        let add = format!("{alter} ADD {}", ddl.unique(unique)?);
        aside.up.push((add, cost::alter(&table.name, Work::IndexBuild)));
    }
    for check in checks {
        aside.down.insert(0, (drop(&check.name), catalog()));
        let add = format!("{alter} ADD {}", ddl::check(check));
        aside.up.push((add, cost::alter(&table.name, Work::Scan)));
    }
    for index in indexes {
        aside.down.insert(0, (ddl::drop_index(table, &index.name), catalog()));
        aside.up.push((ddl.create_index(&table.name, index)?, cost::of_index(&table.name, index)));
    }
    let retyped = if changing.is_other_meaning { changing.retyped } else { &[] };
    aside.keys_of = [retyped, &gone].concat().into_iter().map(str::to_owned).collect();
    Ok(aside)
}

fn has_column(index: &Index, columns: &[&str]) -> bool {
    let mut terms = index.columns.iter().filter_map(|part| match &part.term {
        IndexTerm::Column(name) => Some(name),
        IndexTerm::Expression(_) => None,
    });
    let has = |name: &String| columns.contains(&name.as_str());
    terms.any(has) || index.include.iter().any(has)
}

/// The expressions of an index, and its condition.
pub(super) fn expressions(index: &Index) -> impl Iterator<Item = &str> {
    let terms = index.columns.iter().filter_map(|part| match &part.term {
        IndexTerm::Column(_) => None,
        IndexTerm::Expression(expression) => Some(expression.as_str()),
    });
    terms.chain(index.filter.as_deref())
}
