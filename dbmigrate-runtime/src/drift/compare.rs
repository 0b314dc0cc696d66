//! How one table differs from another, given which spellings their database treats as equal.

use super::difference::{Difference, DifferenceKind, Property, Subject};
use crate::dialect::{Comparing, Part, PartKind};
use crate::folding::Folding;
use crate::schema::DEFAULT_METHOD;
use crate::schema::{
    Column, DefaultValue, Deferrable, ForeignKey, Generated, Identity, Index, IndexTerm,
    ReferentialAction, Table, TableOption, Type, Unique,
};
use crate::sql::Lexicon;

impl Comparing {
    /// Whether two expressions differ only in how they are written.
    fn same_expression(&self, a: &str, b: &str) -> bool {
        self.lexicon.same_expression(a, b)
    }

    /// How a table of the database differs from the table that the migrations create.
    pub fn differences(&self, expected: &Table, actual: &Table) -> Vec<Difference> {
        // Most of them are equal, and the texts of their parts are not needed to see it.
        if expected == actual {
            return Vec::new();
        }
        let mut report = Report { comparing: self, table: &expected.name, found: Vec::new() };
        report.table(expected, actual);
        report.columns(expected, actual);
        report.constraints(expected, actual);
        report.found.sort_by_cached_key(Difference::place);
        report.found
    }

    /// Whether two columns are equivalent for the database.
    pub fn same_column(&self, a: &Column, b: &Column) -> bool {
        let mut report = Report { comparing: self, table: "", found: Vec::new() };
        report.column(a, b);
        report.found.is_empty()
    }

    /// Whether two defaults are equivalent for the database.
    pub fn same_default(&self, a: &Column, b: &Column) -> bool {
        let normal = |column| default(column, self.lexicon).map(|sql| (self.default)(&sql));
        same(normal(a).as_deref(), normal(b).as_deref(), |a, b| self.same_expression(a, b))
    }

    /// Whether two foreign keys are equivalent apart from their names.
    pub fn same_foreign_key(&self, a: &ForeignKey, b: &ForeignKey) -> bool {
        self.folding.same_names(&a.columns, &b.columns)
            && self.folding.same_table(&a.references_table, &b.references_table)
            && self.folding.same_names(&a.references_columns, &b.references_columns)
            && (a.on_delete, a.on_update, a.deferrable) == (b.on_delete, b.on_update, b.deferrable)
    }

    /// Whether two indexes are equivalent apart from their names.
    pub fn same_index(&self, a: &Index, b: &Index) -> bool {
        let same_name = |a: &str, b: &str| self.folding.same(a, b);
        (a.unique, a.nulls_not_distinct) == (b.unique, b.nulls_not_distinct)
            && same_name(a.method(), b.method())
            && self.folding.same_names(&a.include, &b.include)
            && same_parameters(a.with.as_deref(), b.with.as_deref())
            && same(a.filter.as_deref(), b.filter.as_deref(), |a, b| self.same_expression(a, b))
            && a.columns.len() == b.columns.len()
            && a.columns.iter().zip(&b.columns).all(|(a, b)| {
                let same_term = match (&a.term, &b.term) {
                    (IndexTerm::Column(a), IndexTerm::Column(b)) => same_name(a, b),
                    (IndexTerm::Expression(a), IndexTerm::Expression(b)) => {
                        self.same_expression(a, b)
                    }
                    (IndexTerm::Column(_), IndexTerm::Expression(_))
                    | (IndexTerm::Expression(_), IndexTerm::Column(_)) => false,
                };
                same_term
                    && a.descending == b.descending
                    && a.has_nulls_first() == b.has_nulls_first()
                    && a.operator == b.operator
                    && same(a.opclass.as_deref(), b.opclass.as_deref(), same_name)
                    && same(a.collation.as_deref(), b.collation.as_deref(), same_name)
            })
    }

    /// Whether two columns have the same collation.
    pub fn same_collation(&self, a: &Column, b: &Column) -> bool {
        let same_name = |a: &str, b: &str| self.folding.same(a, b);
        same(a.collation.as_deref(), b.collation.as_deref(), same_name)
    }
}

struct Report<'a> {
    comparing: &'a Comparing,
    table: &'a str,
    found: Vec<Difference>,
}

impl Report<'_> {
    fn push(&mut self, subject: Subject, kind: DifferenceKind) {
        self.found.push(Difference { table: self.table.to_owned(), subject, kind });
    }

    /// Compares a property that a table or a column can have a value for.
    fn has(
        &mut self,
        subject: Subject,
        property: Property,
        expected: Option<String>,
        actual: Option<String>,
    ) {
        if expected.is_some() || actual.is_some() {
            self.push(subject, DifferenceKind::Has { property, expected, actual });
        }
    }

    /// Compares a property that a table or a column either has or doesn't have.
    fn is(&mut self, subject: Subject, what: &'static str, expected: bool, actual: bool) {
        if expected != actual {
            let kind = if actual { DifferenceKind::Is(what) } else { DifferenceKind::IsNot(what) };
            self.push(subject, kind);
        }
    }

    fn table(&mut self, expected: &Table, actual: &Table) {
        for option in TableOption::ALL {
            self.is(Subject::Table, option.words(), expected.has(option), actual.has(option));
        }
        let texts = |text: fn(&Table) -> &Option<String>| {
            (text(expected).as_deref(), text(actual).as_deref())
        };
        let (a, b) = texts(|table| &table.with);
        if !same_parameters(a, b) {
            self.has(Subject::Table, Property::Parameters, a.map(code), b.map(code));
        }
        let (a, b) = texts(|table| &table.tablespace);
        if a != b {
            self.has(Subject::Table, Property::Tablespace, a.map(code), b.map(code));
        }
        let (a, b) = texts(|table| &table.engine);
        if !same(a, b, str::eq_ignore_ascii_case) {
            self.has(Subject::Table, Property::Engine, a.map(code), b.map(code));
        }
        let (a, b) = texts(|table| &table.collation);
        if !same(a, b, str::eq_ignore_ascii_case) {
            self.has(Subject::Table, Property::Collation, a.map(code), b.map(code));
        }
        self.comments(Subject::Table, expected.comment.as_deref(), actual.comment.as_deref());
        let name = |table: &Table| table.primary_key.as_ref().map(|key| key.name.clone());
        let names = (name(expected), name(actual));
        let columns = |table: &Table| table.primary_key.as_ref().map(|key| key.columns.clone());
        let (expected, actual) = (columns(expected), columns(actual));
        let folding = self.comparing.folding;
        if !same(expected.as_ref(), actual.as_ref(), |a, b| folding.same_names(a, b)) {
            let text = |columns: Option<Vec<String>>| columns.map(|columns| quoted(&columns));
            self.has(Subject::Table, Property::PrimaryKey, text(expected), text(actual));
            return;
        }
        if let (true, Some(a), Some(b)) = (self.comparing.names_primary_keys, names.0, names.1) {
            if !folding.same(&a, &b) {
                let kind = PartKind::PrimaryKey;
                let part = Part { kind, name: Some(b), content: String::new() };
                self.push(Subject::Part(part), DifferenceKind::Named(a));
            }
        }
    }

    /// Compares how a column generates its values. A key that says nothing about it may be serial.
    fn identity(&mut self, subject: Subject, a: Option<Identity>, b: Option<Identity>) {
        let is = |identity: Option<Identity>, what| identity == Some(what);
        let mut compare = |what, words| self.is(subject.clone(), words, is(a, what), is(b, what));
        compare(Identity::Always, "GENERATED ALWAYS AS IDENTITY");
        compare(Identity::ByDefault, "GENERATED BY DEFAULT AS IDENTITY");
        if a.is_some() {
            compare(Identity::Serial, "serial");
        }
    }

    /// Compares the comments of a table or a column.
    fn comments(&mut self, subject: Subject, expected: Option<&str>, actual: Option<&str>) {
        if self.comparing.keeps_comments && expected != actual {
            let text = |comment: Option<&str>| comment.map(code);
            self.has(subject, Property::Comment, text(expected), text(actual));
        }
    }

    fn columns(&mut self, expected: &Table, actual: &Table) {
        let folding = self.comparing.folding;
        fn find<'t>(table: &'t Table, name: &str, folding: Folding) -> Option<&'t Column> {
            table.columns.iter().find(|column| folding.same(&column.name, name))
        }
        for column in &expected.columns {
            match find(actual, &column.name, folding) {
                Some(found) => self.column(column, found),
                None => self.push(Subject::Column(column.name.clone()), DifferenceKind::Missing),
            }
        }
        for column in &actual.columns {
            if find(expected, &column.name, folding).is_none() {
                self.push(Subject::Column(column.name.clone()), DifferenceKind::Extra);
            }
        }
    }

    fn column(&mut self, expected: &Column, actual: &Column) {
        if expected == actual {
            return;
        }
        let subject = || Subject::Column(expected.name.clone());
        let ty = |ty: &Type| Some((self.comparing.ty)(ty)).filter(|text| !text.is_empty());
        let types = (ty(&expected.ty), ty(&actual.ty));
        if !same(types.0.as_deref(), types.1.as_deref(), |a, b| {
            self.comparing.same_expression(a, b)
        }) {
            self.has(subject(), Property::Type, types.0.map(code), types.1.map(code));
        }
        if expected.nullable != actual.nullable {
            self.push(subject(), DifferenceKind::Nullable(actual.nullable));
        }
        if !self.comparing.same_default(expected, actual) {
            let default = |column| default(column, self.comparing.lexicon);
            let defaults = (default(expected), default(actual));
            self.has(subject(), Property::Default, defaults.0.map(code), defaults.1.map(code));
        }
        let generated = (expected.generated.as_ref(), actual.generated.as_ref());
        let same_generated = |a: &Generated, b: &Generated| {
            a.stored == b.stored && self.comparing.same_expression(&a.expression, &b.expression)
        };
        if !same(generated.0, generated.1, same_generated) {
            let text = |generated: &Generated| {
                let how = if generated.stored { "stored" } else { "virtual" };
                format!("{} ({how})", code(&generated.expression))
            };
            let (expected, actual) = (generated.0.map(text), generated.1.map(text));
            self.has(subject(), Property::Expression, expected, actual);
        }
        if !self.comparing.same_collation(expected, actual) {
            let text = |column: &Column| column.collation.as_deref().map(code);
            self.has(subject(), Property::Collation, text(expected), text(actual));
        }
        let counts = |column: &Column| column.autoincrement == Some(true);
        let generates = self.comparing.generates;
        self.is(subject(), generates, counts(expected), counts(actual));
        self.identity(subject(), expected.identity, actual.identity);
        let updates = (expected.on_update_now, actual.on_update_now);
        self.is(subject(), "ON UPDATE CURRENT_TIMESTAMP", updates.0, updates.1);
        self.is(subject(), "INVISIBLE", expected.invisible, actual.invisible);
        self.comments(subject(), expected.comment.as_deref(), actual.comment.as_deref());
    }

    fn constraints(&mut self, expected: &Table, actual: &Table) {
        let comparing = self.comparing;
        let folding = comparing.folding;
        self.objects(
            &expected.uniques,
            &actual.uniques,
            &Objects {
                kind: PartKind::Unique,
                has_names: true,
                name: &|unique| &unique.name,
                same: &|a, b| {
                    folding.same_names(&a.columns, &b.columns)
                        && folding.same_names(&a.include, &b.include)
                        && a.nulls_not_distinct == b.nulls_not_distinct
                        && a.deferrable == b.deferrable
                },
                text: &unique,
            },
        );
        self.objects(
            &expected.foreign_keys,
            &actual.foreign_keys,
            &Objects {
                kind: PartKind::ForeignKey,
                has_names: true,
                name: &|key| &key.name,
                same: &|a, b| comparing.same_foreign_key(a, b),
                text: &foreign_key,
            },
        );
        self.objects(
            &expected.checks,
            &actual.checks,
            &Objects {
                kind: PartKind::Check,
                has_names: comparing.names_checks,
                name: &|check| &check.name,
                same: &|a, b| comparing.same_expression(&a.expression, &b.expression),
                text: &|check| code(&check.expression),
            },
        );
        for (kind, is_exclusion) in [(PartKind::Index, false), (PartKind::Exclusion, true)] {
            let of_kind = |table: &Table| -> Vec<Index> {
                let indexes = table.indexes.iter();
                indexes.filter(|index| index.is_exclusion() == is_exclusion).cloned().collect()
            };
            self.objects(
                &of_kind(expected),
                &of_kind(actual),
                &Objects {
                    kind,
                    has_names: true,
                    name: &|index| &index.name,
                    same: &|a, b| comparing.same_index(a, b),
                    text: &index,
                },
            );
        }
    }

    /// Pairs up the objects of both sides: first by name and content, then by content if one has no
    /// name, then by name, then by content.
    fn objects<T>(&mut self, expected: &[T], actual: &[T], objects: &Objects<'_, T>) {
        let Objects { kind, has_names, name, same, text } = objects;
        let (kind, folding) = (*kind, self.comparing.folding);
        let mut expected: Vec<&T> = expected.iter().collect();
        let mut actual: Vec<&T> = actual.iter().collect();
        let same_name = |a: &T, b: &T| !name(a).is_empty() && folding.same(name(a), name(b));
        let is_open = |a: &T, b: &T| !has_names || name(a).is_empty() || name(b).is_empty();
        take_pairs(&mut expected, &mut actual, |a, b| same_name(a, b) && same(a, b));
        take_pairs(&mut expected, &mut actual, |a, b| is_open(a, b) && same(a, b));
        let named = |name: &str| {
            Subject::Part(Part { kind, name: Some(name.to_owned()), content: String::new() })
        };
        for (a, b) in take_pairs(&mut expected, &mut actual, same_name) {
            let (expected, actual) = (text(a), text(b));
            self.push(named(name(a)), DifferenceKind::Differs { expected, actual });
        }
        for (a, b) in take_pairs(&mut expected, &mut actual, same) {
            self.push(named(name(b)), DifferenceKind::Named(name(a).to_owned()));
        }
        let part = |object: &T| {
            let name = Some(name(object)).filter(|name| *has_names && !name.is_empty());
            Subject::Part(Part { kind, name: name.map(str::to_owned), content: text(object) })
        };
        expected
            .into_iter()
            .for_each(|expected| self.push(part(expected), DifferenceKind::Missing));
        actual.into_iter().for_each(|actual| self.push(part(actual), DifferenceKind::Extra));
    }
}

/// How objects of one kind are compared.
struct Objects<'a, T> {
    kind: PartKind,
    /// Whether two objects differ if only their names do.
    has_names: bool,
    name: &'a dyn Fn(&T) -> &str,
    same: &'a dyn Fn(&T, &T) -> bool,
    /// The object's content without its name.
    text: &'a dyn Fn(&T) -> String,
}

/// Removes the objects that belong together from both lists.
fn take_pairs<'a, T>(
    expected: &mut Vec<&'a T>,
    actual: &mut Vec<&'a T>,
    fits: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, &'a T)> {
    let mut pairs = Vec::new();
    expected.retain(|expected| match actual.iter().position(|other| fits(expected, other)) {
        Some(at) => {
            pairs.push((*expected, actual.remove(at)));
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

/// The default as it is written; `None` if it is `NULL`.
fn default(column: &Column, lexicon: &'static Lexicon) -> Option<String> {
    let text = match column.default.as_ref()? {
        DefaultValue::Literal(value) => value.to_string(),
        DefaultValue::Now => "CURRENT_TIMESTAMP".to_owned(),
        DefaultValue::Sql(sql) => sql.to_string(),
    };
    (!lexicon.same_expression(&text, "NULL")).then_some(text)
}

fn foreign_key(key: &ForeignKey) -> String {
    let mut text = format!("from {} to `{}`", quoted(&key.columns), key.references_table);
    if !key.references_columns.is_empty() {
        text += &format!(" ({})", quoted(&key.references_columns));
    }
    for (on, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        if action != ReferentialAction::NoAction {
            text += &format!(" ON {on} {}", action.sql());
        }
    }
    text + deferrable(key.deferrable)
}

fn deferrable(deferrable: Option<Deferrable>) -> &'static str {
    match deferrable {
        None => "",
        Some(Deferrable::InitiallyImmediate) => " DEFERRABLE INITIALLY IMMEDIATE",
        Some(Deferrable::InitiallyDeferred) => " DEFERRABLE INITIALLY DEFERRED",
    }
}

fn unique(unique: &Unique) -> String {
    let mut text = format!("on {}", quoted(&unique.columns));
    if unique.nulls_not_distinct {
        text += " NULLS NOT DISTINCT";
    }
    if !unique.include.is_empty() {
        text += &format!(" INCLUDE ({})", quoted(&unique.include));
    }
    text + deferrable(unique.deferrable)
}

/// Whether two lists of storage parameters are the same apart from white space, case and order.
fn same_parameters(a: Option<&str>, b: Option<&str>) -> bool {
    let sorted = |text: Option<&str>| {
        let text = text.unwrap_or_default().to_lowercase();
        let plain: String = text.chars().filter(|symbol| !symbol.is_whitespace()).collect();
        let mut parameters: Vec<String> = plain.split(',').map(str::to_owned).collect();
        parameters.sort();
        parameters
    };
    sorted(a) == sorted(b)
}

fn index(index: &Index) -> String {
    let columns: Vec<_> = index.columns.iter().map(|column| code(column.to_string())).collect();
    let unique = if index.unique { "unique " } else { "" };
    let filter = index.filter.as_ref().map_or(String::new(), |sql| format!(" where {}", code(sql)));
    let mut text = format!("{unique}on {}", columns.join(", "));
    if index.method() != DEFAULT_METHOD {
        text += &format!(" USING {}", index.method());
    }
    if !index.include.is_empty() {
        text += &format!(" INCLUDE ({})", quoted(&index.include));
    }
    if index.nulls_not_distinct {
        text += " NULLS NOT DISTINCT";
    }
    if let Some(parameters) = &index.with {
        text += &format!(" WITH ({parameters})");
    }
    text + &filter
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// SQL on one line.
fn code(sql: impl AsRef<str>) -> String {
    format!("`{}`", sql.as_ref().split_whitespace().collect::<Vec<_>>().join(" "))
}
