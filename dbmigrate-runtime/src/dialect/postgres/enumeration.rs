//! Enumerations, each of which is a type of its own with a name.
//!
//! A type is created before the column that uses it first, and dropped after the last one. Values
//! are added and renamed in place; any other change needs a new type, to which all columns of the
//! old one are converted.

use std::collections::BTreeSet;

use super::aside::Changing;
use super::ddl;
use super::planner::{Planner, Rows};
use super::{guards, literal, types};
use crate::Value;
use crate::dialect::{Facts, POSTGRES, Refusal, Uncommitted, Work};
use crate::operations::{ColumnChange, Operation};
use crate::schema::{Column, DefaultValue, Index, IndexTerm, Schema, Table, Type, naming};
use crate::sql::{Case, Kind, Token, quote};

/// A column of an enumeration that changes, and what happens to its rows.
struct User {
    table: String,
    /// The column in the database.
    column: Column,
    /// The column after the operation that changes it.
    after: Column,
    /// That operation.
    operation: usize,
    /// The expression for all rows.
    using: Option<String>,
    /// The expression for those rows whose value the column loses.
    fill: Option<String>,
}

/// The columns of a schema with their enumerations.
fn columns(schema: &Schema) -> impl Iterator<Item = (&Table, &Column, &str, &[String])> {
    schema.tables.values().flat_map(|table| {
        table.columns.iter().filter_map(move |column| {
            let (name, values) = types::enumeration(&column.ty)?;
            Some((table, column, name, values))
        })
    })
}

fn create(name: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| ddl::text(value)).collect();
    format!("CREATE TYPE {} AS ENUM ({})", quote(name), values.join(", "))
}

impl Planner<'_> {
    /// Notes the enumerations that the schema has.
    pub(super) fn note_enumerations(&mut self) {
        let mut found = std::collections::BTreeMap::new();
        for (.., name, values) in columns(self.schema) {
            found.entry(name.to_owned()).or_insert_with(|| values.to_vec());
        }
        // What is known of the database counts more.
        for (name, values) in found {
            self.enumerations.entry(name).or_insert(values);
        }
        let used: BTreeSet<&str> = columns(self.schema).map(|(_, _, name, _)| name).collect();
        self.enumerations.retain(|name, _| used.contains(name.as_str()));
    }

    /// Refuses a table with the name of an enumeration: a table is also a type.
    pub(super) fn refuse_enumeration_named(&self, idx: usize, table: &str) -> Result<(), Refusal> {
        if !self.enumerations.contains_key(table) {
            return Ok(());
        }
        Err(self.ddl(idx).refuse(
            &format!("an enumeration has the name `{table}`, and a table is also a type"),
            "give the enumeration another name: `#[column_type(name = \"...\")]`",
        ))
    }

    /// Drops the enumerations that no column uses any more.
    pub(super) fn drop_enumerations(&mut self, idx: usize) {
        let may_free = matches!(
            self.operations[idx],
            Operation::DropTable { .. }
                | Operation::DropColumn { .. }
                | Operation::AlterColumn { .. }
        );
        if !may_free || self.enumerations.is_empty() {
            return;
        }
        let used: BTreeSet<&str> = columns(self.schema).map(|(_, _, name, _)| name).collect();
        let unused = self.enumerations.keys().filter(|name| !used.contains(name.as_str()));
        let unused: Vec<String> = unused.cloned().collect();
        for name in unused {
            self.enumerations.remove(&name);
            self.push(idx, format!("DROP TYPE {}", quote(&name)), None);
        }
    }

    /// Makes sure that the database has the enumeration of a column which gets this type, or whose
    /// type gets other values.
    pub(super) fn provide_enumeration(
        &mut self,
        idx: usize,
        table: &str,
        column: &Column,
    ) -> Result<Rows, Refusal> {
        let Some((name, values)) = types::enumeration(&column.ty) else { return Ok(Rows::Open) };
        let Some(old) = self.enumerations.get(name).cloned() else {
            if self.schema.table(name).is_some() {
                let why = format!(
                    "the enumeration of column `{}` of table `{table}` has the name of table \
                     `{name}`, and a table is also a type",
                    column.name
                );
                let hint = "give the enumeration another name: `#[column_type(name = \"...\")]`";
                return Err(self.ddl(idx).refuse(&why, hint));
            }
            self.push(idx, create(name, values), None);
            self.uncommitted.enumerations.insert(name.to_owned());
            self.enumerations.insert(name.to_owned(), values.to_vec());
            return Ok(Rows::Open);
        };
        if old == values {
            return Ok(Rows::Open);
        }
        let users = self.users(idx, name, values)?;
        let rows = self.change_enumeration(idx, (name, &old, values), &users)?;
        self.enumerations.insert(name.to_owned(), values.to_vec());
        let own = users.iter().any(|user| user.operation == idx);
        for user in users.iter().filter(|user| user.operation != idx) {
            self.settled.insert(user.operation, (user.after.clone(), rows));
        }
        Ok(if own { rows } else { Rows::Open })
    }

    /// The columns that have the enumeration in the database, each with the operation that changes
    /// it to these values.
    fn users(&self, idx: usize, name: &str, values: &[String]) -> Result<Vec<User>, Refusal> {
        let mut users = Vec::new();
        for (table, column, own, own_values) in columns(self.schema) {
            let place = (table.name.as_str(), column.name.as_str());
            if own != name || self.is_new(idx, place) {
                continue;
            }
            if let Operation::AlterColumn { table: of, column: altered, change } =
                &self.operations[idx]
            {
                if (of.as_str(), altered.as_str()) == place {
                    users.push(User {
                        table: of.clone(),
                        // The type is replaced as a whole, so only the default matters.
                        column: self.before_change.clone().unwrap_or_else(|| column.clone()),
                        after: column.clone(),
                        operation: idx,
                        using: change.using.as_deref().map(str::to_owned),
                        fill: change.fill.as_deref().map(str::to_owned),
                    });
                    continue;
                }
            }
            let changed = self.later(idx).find_map(|(later, operation)| match operation {
                Operation::AlterColumn { table: of, column: altered, change }
                    if (of.as_str(), altered.as_str()) == place
                        && changes_to(change, name, values) =>
                {
                    Some((later, change))
                }
                _ => None,
            });
            match changed {
                Some((later, change)) => {
                    let mut after = column.clone();
                    change.apply(&mut after);
                    users.push(User {
                        table: table.name.clone(),
                        column: column.clone(),
                        after,
                        operation: later,
                        using: change.using.as_deref().map(str::to_owned),
                        fill: change.fill.as_deref().map(str::to_owned),
                    });
                }
                None if own_values == values => {}
                None => {
                    let why = format!(
                        "enumeration `{name}` would get other values than column `{}` of table \
                         `{}` has, and a type has one list of values",
                        column.name, table.name
                    );
                    let hint = "change that column in the same revision, or give one of the \
                                enumerations another name: `#[column_type(name = \"...\")]`";
                    return Err(self.ddl(idx).refuse(&why, hint));
                }
            }
        }
        Ok(users)
    }

    /// Whether the operation gives a column its enumeration, so that the database has it not yet.
    fn is_new(&self, idx: usize, (table, column): (&str, &str)) -> bool {
        match &self.operations[idx] {
            Operation::CreateTable(new) => new.name == table,
            Operation::AddColumn { table: of, column: new, .. } => {
                of == table && new.name == column
            }
            Operation::AlterColumn { table: of, column: altered, .. } => {
                let was = self.before_change.as_ref();
                let had = was.and_then(|was| types::enumeration(&was.ty)).map(|(name, _)| name);
                let now = self.schema.table(table).and_then(|table| table.find_column(column));
                let has = now.and_then(|now| types::enumeration(&now.ty)).map(|(name, _)| name);
                of == table && altered == column && had != has
            }
            _ => false,
        }
    }

    fn change_enumeration(
        &mut self,
        idx: usize,
        (name, old, new): (&str, &[String], &[String]),
        users: &[User],
    ) -> Result<Rows, Refusal> {
        let mapped: Vec<_> = users
            .iter()
            .filter_map(|user| Some((user, user.using.as_deref()?)))
            .map(|(user, using)| mapping(using, &user.column.name))
            .collect();
        let renames = match mapped.as_slice() {
            [] => Some(Vec::new()),
            // All columns have to agree, and then their rows change along with the type.
            [first, rest @ ..] if mapped.len() == users.len() => {
                first.clone().filter(|first| rest.iter().all(|other| other.as_ref() == Some(first)))
            }
            _ => None,
        };
        let is_rename = |(from, to): &(String, String)| {
            old.contains(from) && !new.contains(from) && new.contains(to) && !old.contains(to)
        };
        let renames = renames.filter(|renames| renames.iter().all(is_rename));
        let in_place = renames.and_then(|renames| {
            let renamed: Vec<String> = old
                .iter()
                .map(|value| {
                    let found = renames.iter().find(|(from, _)| from == value);
                    found.map_or_else(|| value.clone(), |(_, to)| to.clone())
                })
                .collect();
            is_subsequence(&renamed, new).then_some((renames, renamed))
        });
        match in_place {
            Some((renames, renamed)) => {
                let ty = quote(name);
                for (from, to) in &renames {
                    let (from, to) = (ddl::text(from), ddl::text(to));
                    self.push(idx, format!("ALTER TYPE {ty} RENAME VALUE {from} TO {to}"), None);
                }
                for (place, value) in new.iter().enumerate() {
                    if renamed.contains(value) {
                        continue;
                    }
                    let is_last = !new[place..].iter().any(|value| renamed.contains(value));
                    let place = match place.checked_sub(1) {
                        _ if is_last => String::new(),
                        Some(before) => format!(" AFTER {}", ddl::text(&new[before])),
                        None => {
                            let next = new.iter().find(|value| renamed.contains(value));
                            next.map_or(String::new(), |next| {
                                format!(" BEFORE {}", ddl::text(next))
                            })
                        }
                    };
                    let value = ddl::text(value);
                    self.push(idx, format!("ALTER TYPE {ty} ADD VALUE {value}{place}"), None);
                }
                let added = new.iter().filter(|value| !renamed.contains(value));
                let added = added.map(|value| (name.to_owned(), value.clone()));
                self.uncommitted.values.extend(added);
                if uses_uncommitted(&self.uncommitted, &self.operations[idx..], self.facts) {
                    self.border();
                }
                let given = !renames.is_empty();
                Ok(if given { Rows::Renamed } else { Rows::Open })
            }
            None => self.recreate_enumeration(idx, (name, old, new), users).map(|()| Rows::Given),
        }
    }

    /// Replaces the type by a new one, to which all of its columns are converted.
    fn recreate_enumeration(
        &mut self,
        idx: usize,
        (name, old, new): (&str, &[String], &[String]),
        users: &[User],
    ) -> Result<(), Refusal> {
        let is_lost = old.iter().any(|value| !new.contains(value));
        for user in users.iter().filter(|user| user.using.is_none() && user.fill.is_none()) {
            if is_lost {
                let (change, ty) = ([&user.column, &user.after], user.after.ty.to_string());
                let fits = fits(&user.column, new);
                self.guard_values(guards::fitting(&user.table, change, &fits, &ty));
            }
        }
        let tables: BTreeSet<&str> = users.iter().map(|user| user.table.as_str()).collect();
        let mut up = Vec::new();
        for table in tables {
            let own: Vec<&str> = users
                .iter()
                .filter(|user| user.table == table)
                .map(|user| user.column.name.as_str())
                .collect();
            let Some(table) = &self.schema.table(table).cloned() else { continue };
            let changing = Changing { table, retyped: &own, is_other_meaning: true, replaced: &[] };
            up.extend(self.set_aside(idx, changing)?);
        }
        let scratch = naming::limited(format!("dbmigrate_old_{name}"));
        self.push(idx, format!("ALTER TYPE {} RENAME TO {}", quote(name), quote(&scratch)), None);
        self.push(idx, create(name, new), None);
        self.uncommitted.enumerations.insert(name.to_owned());
        self.uncommitted.values.retain(|(of, _)| of != name);
        for user in users {
            let own = quote(&user.column.name);
            let of = |changes: Vec<String>| {
                let changes: Vec<_> =
                    changes.iter().map(|change| format!("ALTER COLUMN {own} {change}")).collect();
                changes.join(", ")
            };
            let is_array = matches!(user.column.ty, Type::Array(_));
            let text = if is_array { "text[]" } else { "text" };
            let ty = types::type_name(&user.after.ty).unwrap_or_else(|_| quote(name));
            let mut changes = Vec::new();
            if ddl::default_of(&user.column).is_some() {
                changes.push("DROP DEFAULT".to_owned());
            }
            let given = match (&user.using, &user.fill) {
                (Some(using), _) => Some(literal::closed(using)),
                (None, Some(fill)) => {
                    let null = if user.after.nullable { "IS NULL OR" } else { "IS NOT NULL AND" };
                    let fits = fits(&user.column, new);
                    Some(format!(
                        "CASE WHEN {own} {null} {fits} THEN {own} ELSE {} END",
                        literal::closed(fill)
                    ))
                }
                (None, None) => None,
            };
            match given {
                None => changes.push(format!("TYPE {ty} USING {own}::{text}::{ty}")),
                // The expression may name values of either type, so it works with texts.
                Some(given) => {
                    changes.push(format!("TYPE {text} USING {own}::{text}"));
                    self.alter(idx, &user.table, &of(std::mem::take(&mut changes)), Work::Rewrite);
                    changes = self.given(idx, user, &given, &ty);
                }
            }
            if let Some(default) = ddl::default_of(&user.after) {
                changes.push(format!("SET DEFAULT {default}"));
            }
            self.alter(idx, &user.table, &of(changes), Work::Rewrite);
        }
        self.push(idx, format!("DROP TYPE {}", quote(&scratch)), None);
        self.push_all(idx, up);
        Ok(())
    }

    /// Gives the rows of a column, which holds texts for now, the values of an expression.
    fn given(&mut self, idx: usize, user: &User, given: &str, ty: &str) -> Vec<String> {
        let own = quote(&user.column.name);
        if !POSTGRES.mentions(given, "select") {
            return vec![format!("TYPE {ty} USING ({given})::{ty}")];
        }
        let update = format!("UPDATE {} SET {own} = {given}", ddl::relation(&user.table));
        self.update_rows(idx, &user.table, update);
        vec![format!("TYPE {ty} USING {own}::{ty}")]
    }
}

fn fits(column: &Column, values: &[String]) -> String {
    let own = quote(&column.name);
    let values: Vec<_> = values.iter().map(|value| ddl::text(value)).collect();
    let values = values.join(", ");
    match &column.ty {
        Type::Array(_) => format!("{own}::text[] <@ ARRAY[{values}]::text[]"),
        _ => format!("{own}::text IN ({values})"),
    }
}

fn changes_to(change: &ColumnChange, name: &str, values: &[String]) -> bool {
    let ty = change.ty.as_ref().and_then(types::enumeration);
    ty.is_some_and(|(own, own_values)| own == name && own_values == values)
}

fn is_subsequence(part: &[String], whole: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|value| whole.any(|other| other == value))
}

/// The values that `CASE a WHEN 'x' THEN 'y' ELSE a END` maps to others.
fn mapping(using: &str, column: &str) -> Option<Vec<(String, String)>> {
    let tokens = POSTGRES.significant(using);
    let case = Case::of(&tokens)?;
    let is_own = |part: &[Token<'_>]| matches!(part, [name] if name.is_name(column));
    if !case.subject.is_some_and(is_own) || !case.other.is_some_and(is_own) {
        return None;
    }
    let text = |part: &[Token<'_>]| match part {
        [text] if text.kind == Kind::Text => Some(text.unquoted()?.into_owned()),
        _ => None,
    };
    case.arms.iter().map(|arm| Some((text(arm.condition)?, text(arm.result)?))).collect()
}

/// The first version in which a transaction can use a value that it added to an enumeration of its
/// own.
const USES_OWN: u32 = 170_000;

/// Whether operations may use a value that was added to an enumeration in the same transaction,
/// which PostgreSQL refuses.
pub(super) fn uses_uncommitted(
    added: &Uncommitted,
    operations: &[Operation],
    facts: &Facts,
) -> bool {
    let is_usable = |name: &String| facts.version >= USES_OWN && added.enumerations.contains(name);
    let mut unusable = added.values.iter().filter(|(name, _)| !is_usable(name));
    unusable.any(|(name, value)| operations.iter().any(|operation| may_use(operation, name, value)))
}

/// Whether the operation may use this value of this enumeration.
fn may_use(operation: &Operation, name: &str, value: &str) -> bool {
    let has = |token: &Token<'_>| {
        token.text.contains(value) || token.unquoted().is_some_and(|text| text.contains(value))
    };
    let in_text = |text: &str| {
        POSTGRES
            .tokens(text)
            .iter()
            .any(|token| token.is_name(name) || token.kind == Kind::Text && has(token))
    };
    let in_column = |column: &Column| {
        let default = match &column.default {
            Some(DefaultValue::Literal(Value::Text(text))) => text.contains(value),
            Some(DefaultValue::Sql(text)) => text.contains(value),
            _ => false,
        };
        default || column.generated.as_ref().is_some_and(|generated| in_text(&generated.expression))
    };
    let in_index = |index: &Index| {
        let in_term = |term: &IndexTerm| match term {
            IndexTerm::Column(_) => false,
            IndexTerm::Expression(expression) => in_text(expression),
        };
        index.filter.as_deref().is_some_and(in_text)
            || index.columns.iter().any(|part| in_term(&part.term))
    };
    match operation {
        Operation::Run(_) => true,
        Operation::Execute(execute) => {
            execute.sql.text(crate::backend::Backend::Postgres).is_some_and(in_text)
        }
        Operation::BulkInsert { rows, .. } => rows
            .iter()
            .flatten()
            .any(|cell| matches!(cell, Value::Text(text) if text.contains(value))),
        Operation::CreateTable(table) => {
            table.columns.iter().any(in_column)
                || table.checks.iter().any(|check| in_text(&check.expression))
                || table.indexes.iter().any(in_index)
        }
        Operation::AddColumn { column, using, .. } => {
            in_column(column) || using.as_deref().is_some_and(in_text)
        }
        Operation::AlterColumn { column, change, .. } => {
            let mut to = Column::new(column, Type::Text);
            change.apply(&mut to);
            // What the change says of the type isn't a use.
            in_column(&to)
                || change.fill.as_deref().is_some_and(in_text)
                || change.using.as_deref().is_some_and(in_text)
        }
        Operation::AddCheck { check, .. } => in_text(&check.expression),
        Operation::CreateIndex { index, .. } => in_index(index),
        _ => false,
    }
}
