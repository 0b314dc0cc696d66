//! How the tables of a database differ from those that the migrations make.
//!
//! Both sides are in one database's own terms: read from it, and as it would keep what the
//! migrations create. So two ways to write the same are no difference, nor is the order of
//! columns.

mod told;

use std::fmt;

pub use told::Told;

use crate::Value;
use crate::dialect::{Beyond, Catalog, ObjectKind, ObjectName};
use crate::operations::OtherObject;
use crate::schema::{
    Column, DefaultValue, Deferrable, ForeignKey, Generated, Index, IndexTerm, ReferentialAction,
    Schema, Table, Type,
};
use crate::sql::{Kind, is_reserved, same_expression, significant, unparenthesised};

/// One way in which a database isn't what the migrations make.
///
/// ``column `user.age` is nullable, but NOT NULL in the migrations``
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// The column, if it is about one.
    pub column: Option<String>,
    /// The constraint or the index in words, if it is about one.
    pub object: String,
    /// What the database has and what the migrations say.
    pub text: String,
}

impl Difference {
    /// A table that isn't there.
    pub fn missing(table: &str) -> Difference {
        Difference::of_table(table, MISSING)
    }

    /// A table of the database that could not be understood.
    pub fn unreadable(table: &str, why: &str) -> Difference {
        Difference::of_table(table, &format!("can't be compared: {why}"))
    }

    /// A view or the like that isn't there.
    fn missing_object(object: &OtherObject) -> Difference {
        let table = object.table.clone().unwrap_or_default();
        let (object, text) = (format!("{} `{}`", object.kind, object.name), MISSING.to_owned());
        Difference { table, column: None, object, text }
    }

    pub(crate) fn of_table(table: &str, text: &str) -> Difference {
        let (object, text) = (String::new(), text.to_owned());
        Difference { table: table.to_owned(), column: None, object, text }
    }

    /// Whether it is there already though the revision that makes it isn't applied.
    pub fn is_early(&self) -> bool {
        self.text == LATER
    }

    /// Whether it is something that a schema has no place for, so that no revision can say it.
    pub fn is_beyond(&self) -> bool {
        self.text.ends_with(BEYOND)
    }

    /// Whether it is a view or the like that a revision says it makes.
    pub fn is_other_object(&self) -> bool {
        let kinds = ["view `", "trigger `", "virtual table `"];
        kinds.iter().any(|kind| self.object.starts_with(kind))
    }

    /// The name of the index that it is about.
    fn index(&self) -> Option<&str> {
        self.object.strip_prefix("index `")?.strip_suffix('`')
    }

    /// Whether it says the same of the same thing, but for the names in its words.
    pub(crate) fn is_like(&self, other: &Difference) -> bool {
        let words = |it: &Difference| {
            let words = [&it.object, &it.text].map(|it| it.split('`').next().map(str::to_owned));
            (it.table.clone(), it.column.clone(), words)
        };
        words(self) == words(other)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { table, column, object, text } = self;
        match column {
            Some(column) => write!(f, "column `{table}.{column}` {text}"),
            None if object.is_empty() => write!(f, "table `{table}` {text}"),
            None if table.is_empty() => write!(f, "{object} {text}"),
            None => write!(f, "{object} of table `{table}` {text}"),
        }
    }
}

const MISSING: &str = "is missing from the database";
const EXTRA: &str = "is not in the migrations";
const BEYOND: &str = ", which no revision can say";
const LATER: &str = "is there already, and a later revision makes it";

/// What a live database is beside what the migrations make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// In what it differs.
    pub differences: Vec<Difference>,
    /// How many tables and other objects of the migrations were looked for.
    pub n_compared: usize,
    /// What no migration describes and is no difference: what it is, such as `view`, and its name.
    pub others: Vec<ObjectName>,
}

/// How a database differs from the tables that the applied revisions make. `all` are the tables
/// of all revisions: what is of a later one and there already would be in its way.
///
/// Tables that no revision makes are others', and so are indexes and triggers that they have
/// added to the revisions' tables. What a table says that a schema has no place for differs too,
/// unless SQL of a revision has described the table: that SQL may have said it.
pub fn drift(expected: &Schema, all: &Schema, told: &Told, found: &Catalog) -> Drift {
    let n_compared = expected.tables.len() + told.n_objects();
    let mut drift = Drift { n_compared, ..Drift::default() };
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for table in expected.tables.values() {
        let actual = found.schema.tables.values().find(|it| same(&it.name, &table.name));
        match (actual, found.why_unreadable(&table.name)) {
            (Some(it), _) => drift.differences.extend(differences(table, it)),
            (None, Some(why)) => {
                drift.differences.push(Difference::unreadable(&table.name, why));
            }
            (None, None) => drift.differences.push(Difference::missing(&table.name)),
        }
    }
    let is_later = |index: &str| {
        all.tables.values().flat_map(|it| &it.indexes).any(|it| same(&it.name, index))
    };
    let mut others = Vec::new();
    drift.differences.retain_mut(|it| match it.index().map(str::to_owned) {
        Some(index) if it.text == EXTRA => {
            LATER.clone_into(&mut it.text);
            let is_later = is_later(&index);
            if !is_later {
                others.push(ObjectName::new(ObjectKind::Index, &index));
            }
            is_later
        }
        Some(index) if it.text == MISSING => {
            if let Some(why) = found.why_unreadable(&index) {
                it.text = format!("can't be compared: {why}");
            }
            true
        }
        None if it.text == EXTRA => {
            let table = all.tables.values().find(|table| same(&table.name, &it.table));
            let is_it = |own: &Column| it.column.as_ref().is_some_and(|it| same(it, &own.name));
            if table.is_some_and(|it| it.columns.iter().any(is_it)) {
                LATER.clone_into(&mut it.text);
            }
            true
        }
        _ => true,
    });
    let has = |schema: &Schema, name: &str| schema.tables.values().any(|it| same(&it.name, name));
    let tables = found.schema.tables.values().map(|it| it.name.as_str());
    let is_index = |it: &str| {
        expected.tables.values().flat_map(|it| &it.indexes).any(|own| same(&own.name, it))
    };
    let unreadable = found.unreadable.iter().map(|object| object.name.as_str());
    for name in tables.chain(unreadable.filter(|it| !is_index(it))) {
        if has(expected, name) {
            continue;
        }
        match has(all, name) {
            true => drift.differences.push(Difference::of_table(name, LATER)),
            false => others.push(ObjectName::new(ObjectKind::Table, name)),
        }
    }
    drift.differences.extend(beyond(expected, told, found));
    drift.differences.extend(told.missing(found).map(Difference::missing_object));
    drift.differences.sort();
    others.sort();
    drift.others = others.into_iter().chain(told.untold(found)).collect();
    drift
}

/// What the tables of a schema say in the database that the schema has no place for.
pub fn beyond(expected: &Schema, told: &Told, found: &Catalog) -> Vec<Difference> {
    let is_expected = |it: &&Beyond| {
        expected.tables.keys().any(|name| name.eq_ignore_ascii_case(&it.table))
            && !told.has_table(&it.table)
    };
    let difference = |it: &Beyond| {
        let column = it.columns.first().filter(|_| it.object.is_empty()).cloned();
        let text = format!("{}{BEYOND}", it.text);
        Difference { table: it.table.clone(), column, object: it.object.clone(), text }
    };
    found.beyond.iter().filter(is_expected).map(difference).collect()
}

/// How a table of the database differs from the one that the migrations make.
pub fn differences(expected: &Table, actual: &Table) -> Vec<Difference> {
    let mut report = Report { table: &expected.name, found: Vec::new() };
    report.table(expected, actual);
    report.columns(expected, actual);
    report.constraints(expected, actual);
    report.found.sort();
    report.found
}

/// Whether two columns are the same to the database.
pub fn same_column(a: &Column, b: &Column) -> bool {
    let mut report = Report { table: "", found: Vec::new() };
    report.column(a, b);
    report.found.is_empty()
}

/// Whether two defaults are the same to the database.
pub fn same_default(a: &Column, b: &Column) -> bool {
    let texts = (default(a), default(b));
    let normal = (texts.0.as_deref().map(normal), texts.1.as_deref().map(normal));
    same(normal.0.as_deref(), normal.1.as_deref(), same_expression)
}

struct Report<'a> {
    table: &'a str,
    found: Vec<Difference>,
}

impl Report<'_> {
    fn push(&mut self, column: Option<&str>, object: String, text: impl Into<String>) {
        let (table, column) = (self.table.to_owned(), column.map(str::to_owned));
        self.found.push(Difference { table, column, object, text: text.into() });
    }

    /// One thing that a table or a column has or hasn't.
    fn has(
        &mut self,
        column: Option<&str>,
        what: &str,
        (expected, actual): (Option<String>, Option<String>),
    ) {
        let text = match (expected, actual) {
            (Some(expected), Some(actual)) => {
                format!("has the {what} {actual}, but {expected} in the migrations")
            }
            (None, Some(actual)) => format!("has the {what} {actual}, but none in the migrations"),
            (Some(expected), None) => format!("has no {what}, but {expected} in the migrations"),
            (None, None) => return,
        };
        self.push(column, String::new(), text);
    }

    /// One thing that a table or a column is or isn't.
    fn is(&mut self, column: Option<&str>, what: &str, expected: bool, actual: bool) {
        match (expected, actual) {
            (false, true) => {
                self.push(column, String::new(), format!("is {what}, but not in the migrations"));
            }
            (true, false) => {
                self.push(
                    column,
                    String::new(),
                    format!("is not {what}, but is in the migrations"),
                );
            }
            (true, true) | (false, false) => {}
        }
    }

    fn table(&mut self, expected: &Table, actual: &Table) {
        self.is(None, "STRICT", expected.strict, actual.strict);
        self.is(None, "WITHOUT ROWID", expected.without_rowid, actual.without_rowid);
        let columns = |it: &Table| it.primary_key.as_ref().map(|it| it.columns.clone());
        let (expected, actual) = (columns(expected), columns(actual));
        let is_same = match (&expected, &actual) {
            (Some(a), Some(b)) => same_names(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_same {
            let text = |it: Option<Vec<String>>| it.map(|it| quoted(&it));
            self.has(None, "primary key", (text(expected), text(actual)));
        }
    }

    fn columns(&mut self, expected: &Table, actual: &Table) {
        let same = |a: &Column, b: &Column| a.name.eq_ignore_ascii_case(&b.name);
        for column in &expected.columns {
            match actual.columns.iter().find(|it| same(it, column)) {
                Some(it) => self.column(column, it),
                None => self.push(Some(&column.name), String::new(), MISSING),
            }
        }
        for column in &actual.columns {
            if !expected.columns.iter().any(|it| same(it, column)) {
                self.push(Some(&column.name), String::new(), EXTRA);
            }
        }
    }

    fn column(&mut self, expected: &Column, actual: &Column) {
        let name = Some(expected.name.as_str());
        let ty = |it: &Type| Some(it.to_string()).filter(|it| !it.is_empty());
        let texts = (ty(&expected.ty), ty(&actual.ty));
        if !same(texts.0.as_deref(), texts.1.as_deref(), same_expression) {
            self.has(name, "type", both(texts, |it| code(&it)));
        }
        match (expected.nullable, actual.nullable) {
            (true, false) => {
                self.push(name, String::new(), "is NOT NULL, but nullable in the migrations");
            }
            (false, true) => {
                self.push(name, String::new(), "is nullable, but NOT NULL in the migrations");
            }
            (true, true) | (false, false) => {}
        }
        if !same_default(expected, actual) {
            let texts = (default(expected), default(actual));
            self.has(name, "default", both(texts, |it| code(&it)));
        }
        let generated = (&expected.generated, &actual.generated);
        let same_generated = |a: &Generated, b: &Generated| {
            a.stored == b.stored && same_expression(&a.expression, &b.expression)
        };
        if !same(generated.0.as_ref(), generated.1.as_ref(), same_generated) {
            let text = |it: &Generated| {
                let how = if it.stored { "stored" } else { "virtual" };
                format!("{} ({how})", code(&it.expression))
            };
            let texts = (generated.0.as_ref().map(text), generated.1.as_ref().map(text));
            self.has(name, "expression", texts);
        }
        let collation = (expected.collation.as_deref(), actual.collation.as_deref());
        if !same(collation.0, collation.1, str::eq_ignore_ascii_case) {
            self.has(name, "collation", both(collation, code));
        }
        let is = |it: &Column| it.autoincrement == Some(true);
        self.is(name, "AUTOINCREMENT", is(expected), is(actual));
    }

    fn constraints(&mut self, expected: &Table, actual: &Table) {
        self.objects(
            &expected.uniques,
            &actual.uniques,
            &Objects {
                kind: "unique constraint",
                has_names: true,
                name: |it| &it.name,
                same: |a, b| same_names(&a.columns, &b.columns),
                text: |it| format!("on {}", quoted(&it.columns)),
            },
        );
        self.objects(
            &expected.foreign_keys,
            &actual.foreign_keys,
            &Objects {
                kind: "foreign key",
                has_names: true,
                name: |it| &it.name,
                same: same_foreign_key,
                text: foreign_key,
            },
        );
        self.objects(
            &expected.checks,
            &actual.checks,
            &Objects {
                kind: "check",
                has_names: false,
                name: |it| &it.name,
                same: |a, b| same_expression(&a.expression, &b.expression),
                text: |it| code(&it.expression),
            },
        );
        self.objects(
            &expected.indexes,
            &actual.indexes,
            &Objects {
                kind: "index",
                has_names: true,
                name: |it| &it.name,
                same: same_index,
                text: index,
            },
        );
    }

    /// Finds each object's other half: by name and content, by content where one has no name, by
    /// name, by content.
    fn objects<T>(&mut self, expected: &[T], actual: &[T], objects: &Objects<T>) {
        let Objects { kind, has_names, name, same, text } = objects;
        let (mut expected, mut actual): (Vec<_>, Vec<_>) =
            (expected.iter().collect(), actual.iter().collect());
        let same_name = |a: &T, b: &T| !name(a).is_empty() && name(a).eq_ignore_ascii_case(name(b));
        let is_open = |a: &T, b: &T| !has_names || name(a).is_empty() || name(b).is_empty();
        take_pairs(&mut expected, &mut actual, |a, b| same_name(a, b) && same(a, b));
        take_pairs(&mut expected, &mut actual, |a, b| is_open(a, b) && same(a, b));
        for (a, b) in take_pairs(&mut expected, &mut actual, same_name) {
            let text = format!("is {}, but {} in the migrations", text(b), text(a));
            self.push(None, format!("{kind} `{}`", name(a)), text);
        }
        for (a, b) in take_pairs(&mut expected, &mut actual, same) {
            let text = format!("is named `{}` in the migrations", name(a));
            self.push(None, format!("{kind} `{}`", name(b)), text);
        }
        let object = |it: &T| match name(it).as_str() {
            name if *has_names && !name.is_empty() => format!("{kind} `{name}`"),
            _ => format!("{kind} {}", text(it)),
        };
        expected.into_iter().for_each(|it| self.push(None, object(it), MISSING));
        actual.into_iter().for_each(|it| self.push(None, object(it), EXTRA));
    }
}

/// How objects of one kind are compared.
struct Objects<T> {
    kind: &'static str,
    /// Whether a difference in names alone is one.
    has_names: bool,
    name: fn(&T) -> &String,
    same: fn(&T, &T) -> bool,
    /// What it is but for its name.
    text: fn(&T) -> String,
}

/// Takes what belongs together out of both lists.
fn take_pairs<'a, T>(
    expected: &mut Vec<&'a T>,
    actual: &mut Vec<&'a T>,
    fits: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, &'a T)> {
    let mut pairs = Vec::new();
    expected.retain(|it| match actual.iter().position(|other| fits(it, other)) {
        Some(at) => {
            pairs.push((*it, actual.remove(at)));
            false
        }
        None => true,
    });
    pairs
}

fn same<T: ?Sized>(a: Option<&T>, b: Option<&T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn both<T>(
    pair: (Option<T>, Option<T>),
    text: fn(T) -> String,
) -> (Option<String>, Option<String>) {
    (pair.0.map(text), pair.1.map(text))
}

/// Whether two lists name the same, in the same order.
pub fn same_names(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Whether two foreign keys say the same, but for their names.
pub fn same_foreign_key(a: &ForeignKey, b: &ForeignKey) -> bool {
    same_names(&a.columns, &b.columns)
        && a.references_table.eq_ignore_ascii_case(&b.references_table)
        && same_names(&a.references_columns, &b.references_columns)
        && (a.on_delete, a.on_update, a.deferrable) == (b.on_delete, b.on_update, b.deferrable)
}

/// Whether two indexes are the same, but for their names.
pub fn same_index(a: &Index, b: &Index) -> bool {
    a.unique == b.unique
        && same(a.filter.as_deref(), b.filter.as_deref(), same_expression)
        && a.columns.len() == b.columns.len()
        && a.columns.iter().zip(&b.columns).all(|(a, b)| {
            let same_term = match (&a.term, &b.term) {
                (IndexTerm::Column(a), IndexTerm::Column(b)) => a.eq_ignore_ascii_case(b),
                (IndexTerm::Expression(a), IndexTerm::Expression(b)) => same_expression(a, b),
                (IndexTerm::Column(_), IndexTerm::Expression(_))
                | (IndexTerm::Expression(_), IndexTerm::Column(_)) => false,
            };
            let collations = (a.collation.as_deref(), b.collation.as_deref());
            same_term
                && a.descending == b.descending
                && same(collations.0, collations.1, str::eq_ignore_ascii_case)
        })
}

/// The default as it is written; none where it is `NULL`.
fn default(column: &Column) -> Option<String> {
    let text = match column.default.as_ref()? {
        DefaultValue::Literal(Value::Bool(it)) => i64::from(*it).to_string(),
        DefaultValue::Literal(it) => it.to_string(),
        DefaultValue::Now => "CURRENT_TIMESTAMP".to_owned(),
        DefaultValue::Sql(it) => it.clone(),
    };
    (!same_expression(&text, "NULL")).then_some(text)
}

/// A default in one of the ways to write it: the words `TRUE` and `FALSE` are 1 and 0, and any
/// other name alone is a text.
fn normal(default: &str) -> String {
    let default = unparenthesised(default);
    let text = |it: &str| format!("'{}'", it.replace('\'', "''"));
    let tokens = significant(default);
    let [token] = tokens.as_slice() else { return default.to_owned() };
    let is_now = ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"];
    match token.kind {
        Kind::Quoted => token.unquoted().map_or_else(|| default.to_owned(), |it| text(&it)),
        Kind::Word if token.is_word("TRUE") => "1".to_owned(),
        Kind::Word if token.is_word("FALSE") => "0".to_owned(),
        Kind::Word if !is_reserved(default) && !is_now.iter().any(|it| token.is_word(it)) => {
            text(default)
        }
        _ => default.to_owned(),
    }
}

fn foreign_key(it: &ForeignKey) -> String {
    let mut text = format!("from {} to `{}`", quoted(&it.columns), it.references_table);
    if !it.references_columns.is_empty() {
        text += &format!(" ({})", quoted(&it.references_columns));
    }
    for (on, action) in [("DELETE", it.on_delete), ("UPDATE", it.on_update)] {
        if action != ReferentialAction::NoAction {
            text += &format!(" ON {on} {}", action.sql());
        }
    }
    text + match it.deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " DEFERRABLE INITIALLY IMMEDIATE",
        Some(Deferrable::InitiallyDeferred) => " DEFERRABLE INITIALLY DEFERRED",
    }
}

fn index(it: &Index) -> String {
    let columns: Vec<_> = it.columns.iter().map(|it| code(&it.to_string())).collect();
    let unique = if it.unique { "unique " } else { "" };
    let filter = it.filter.as_ref().map_or(String::new(), |it| format!(" where {}", code(it)));
    format!("{unique}on {}{filter}", columns.join(", "))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

/// SQL on one line.
fn code(sql: &str) -> String {
    format!("`{}`", sql.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests;
