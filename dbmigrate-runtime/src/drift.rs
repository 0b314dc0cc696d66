//! How the tables of a database differ from those that the migrations make.
//!
//! Both sides are in one database's own terms: read from it, and as it would keep what the
//! migrations create. So two ways to write the same are no difference, nor is the order of
//! columns.

use std::fmt;

use crate::Value;
use crate::schema::{
    Action, Column, DefaultValue, Deferrable, ForeignKey, Generated, Index, IndexTerm, Schema,
    Table, Type,
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

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { table, column, object, text } = self;
        match column {
            Some(column) => write!(f, "column `{table}.{column}` {text}"),
            None if object.is_empty() => write!(f, "table `{table}` {text}"),
            None => write!(f, "{object} of table `{table}` {text}"),
        }
    }
}

const MISSING: &str = "is missing from the database";
const EXTRA: &str = "is not in the migrations";

/// How two sets of tables differ, and the tables of the database that the migrations don't make.
pub fn differences_of(expected: &Schema, actual: &Schema) -> (Vec<Difference>, Vec<String>) {
    let same = |a: &Table, b: &Table| a.name.eq_ignore_ascii_case(&b.name);
    let mut found = Vec::new();
    for table in expected.tables.values() {
        match actual.tables.values().find(|it| same(it, table)) {
            Some(it) => found.extend(differences(table, it)),
            None => found.push(Difference {
                table: table.name.clone(),
                column: None,
                object: String::new(),
                text: MISSING.to_owned(),
            }),
        }
    }
    found.sort();
    let others = actual.tables.values();
    let others = others.filter(|it| !expected.tables.values().any(|own| same(own, it)));
    (found, others.map(|it| it.name.clone()).collect())
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
        let texts = (default(expected), default(actual));
        let normal = (texts.0.as_deref().map(normal), texts.1.as_deref().map(normal));
        if !same(normal.0.as_deref(), normal.1.as_deref(), same_expression) {
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

fn same_names(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn same_foreign_key(a: &ForeignKey, b: &ForeignKey) -> bool {
    same_names(&a.columns, &b.columns)
        && a.references_table.eq_ignore_ascii_case(&b.references_table)
        && same_names(&a.references_columns, &b.references_columns)
        && (a.on_delete, a.on_update, a.deferrable) == (b.on_delete, b.on_update, b.deferrable)
}

fn same_index(a: &Index, b: &Index) -> bool {
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
        if action != Action::NoAction {
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
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::schema::IndexColumn;

    fn user() -> Table {
        let mut table = Table::new("user")
            .column(Column::new("id", Type::raw("INTEGER")).not_null().autoincrement(true))
            .column(Column::new("email", Type::raw("VARCHAR(50)")).not_null().collate("NOCASE"))
            .column(Column::new("age", Type::raw("INTEGER")).not_null().default_sql("0"))
            .column(Column::new("old", Type::raw("BOOLEAN")).generated_stored("age > 99"))
            .primary_key("pk_user", ["id"])
            .unique("uq_user_email", ["email"])
            .check("ck_user_age", "age >= 0")
            .foreign_key(
                ForeignKey::new("fk_user_age_x", ["age"], "x", ["id"]).on_delete(Action::Cascade),
            );
        table.indexes.push(Index::new("ix_user_age", ["age"]).filter("age > 1"));
        table
    }

    /// What is different once the database's table was changed.
    #[track_caller]
    fn check(change: impl Fn(&mut Table), expect: Expect) {
        let mut actual = user();
        change(&mut actual);
        let found = differences(&user(), &actual);
        let text: String = found.iter().map(|it| format!("{it}\n")).collect();
        expect.assert_eq(&text);
        assert_eq!(differences(&actual, &user()).len(), found.len());
        assert_eq!(differences(&actual, &actual), []);
    }

    #[test]
    fn two_ways_to_write_the_same_are_no_difference() {
        check(|_| {}, expect![[""]]);
        check(
            |it| {
                it.columns.reverse();
                it.columns.iter_mut().for_each(|it| it.name = it.name.to_uppercase());
                it.columns[3].name = "Id".to_owned();
                it.columns[2].ty = Type::raw("varchar ( 50 )");
                it.columns[2].collation = Some("nocase".to_owned());
                it.columns[1].default = Some(DefaultValue::Sql("(FALSE)".to_owned()));
                it.columns[0].default = Some(DefaultValue::Sql("NULL".to_owned()));
                it.columns[0].generated.as_mut().unwrap().expression = "(\"AGE\">99)".to_owned();
                it.primary_key.as_mut().unwrap().name = String::new();
                it.uniques[0].name = String::new();
                it.foreign_keys[0].name = String::new();
                it.foreign_keys[0].references_table = "X".to_owned();
                it.checks[0].name = "other".to_owned();
                it.checks[0].expression = "((age >= 0)) -- years".to_owned();
                it.indexes[0].name = "IX_USER_AGE".to_owned();
                it.indexes[0].filter = Some("(`age` > 1)".to_owned());
            },
            expect![[""]],
        );
    }

    #[test]
    fn defaults_that_sqlite_reads_alike_are_alike() {
        let same = |a: &str, b: &str| same_expression(&normal(a), &normal(b));
        assert!(same("true", "1"));
        assert!(same("\"\"", "''"));
        assert!(same("word", "'word'"));
        assert!(same("current_timestamp", "CURRENT_TIMESTAMP"));
        assert!(!same("'0'", "0"));
        assert!(!same("'TRUE'", "1"));
        assert!(!same("'current_date'", "current_date"));
        assert!(!same("'A'", "'a'"));
    }

    #[test]
    fn what_columns_differ_in_is_told() {
        check(
            |it| {
                it.columns[0].autoincrement = None;
                it.columns[1].ty = Type::raw("");
                it.columns[1].nullable = true;
                it.columns[1].collation = None;
                it.columns[2].ty = Type::raw("TEXT");
                it.columns[2].default = Some(DefaultValue::Sql("'0'".to_owned()));
                it.columns[3].name = "other".to_owned();
            },
            expect![[r#"
                column `user.age` has the default `'0'`, but `0` in the migrations
                column `user.age` has the type `TEXT`, but `INTEGER` in the migrations
                column `user.email` has no collation, but `NOCASE` in the migrations
                column `user.email` has no type, but `VARCHAR(50)` in the migrations
                column `user.email` is nullable, but NOT NULL in the migrations
                column `user.id` is not AUTOINCREMENT, but is in the migrations
                column `user.old` is missing from the database
                column `user.other` is not in the migrations
            "#]],
        );
        check(
            |it| {
                it.columns[1].ty = Type::raw("TEXT");
                it.columns[1].collation = Some("RTRIM".to_owned());
                it.columns[1].default = Some(DefaultValue::Sql("'a' ||\n  'b'".to_owned()));
                it.columns[2].default = None;
                it.columns[2].autoincrement = Some(true);
                it.columns[3].nullable = false;
                it.columns[3].generated.as_mut().unwrap().stored = false;
            },
            expect![[r#"
                column `user.age` has no default, but `0` in the migrations
                column `user.age` is AUTOINCREMENT, but not in the migrations
                column `user.email` has the collation `RTRIM`, but `NOCASE` in the migrations
                column `user.email` has the default `'a' || 'b'`, but none in the migrations
                column `user.email` has the type `TEXT`, but `VARCHAR(50)` in the migrations
                column `user.old` has the expression `age > 99` (virtual), but `age > 99` (stored) in the migrations
                column `user.old` is NOT NULL, but nullable in the migrations
            "#]],
        );
    }

    #[test]
    fn what_tables_differ_in_is_told() {
        check(
            |it| {
                it.strict = true;
                it.without_rowid = true;
                it.primary_key = None;
            },
            expect![[r#"
                table `user` has no primary key, but `id` in the migrations
                table `user` is STRICT, but not in the migrations
                table `user` is WITHOUT ROWID, but not in the migrations
            "#]],
        );
        check(
            |it| it.primary_key.as_mut().unwrap().columns.push("age".to_owned()),
            expect![[r#"
            table `user` has the primary key `id`, `age`, but `id` in the migrations
        "#]],
        );
    }

    #[test]
    fn objects_are_missing_unknown_different_or_renamed() {
        check(
            |it| {
                it.uniques.clear();
                it.checks.clear();
                it.foreign_keys.clear();
                it.indexes.clear();
            },
            expect![[r#"
                check `age >= 0` of table `user` is missing from the database
                foreign key `fk_user_age_x` of table `user` is missing from the database
                index `ix_user_age` of table `user` is missing from the database
                unique constraint `uq_user_email` of table `user` is missing from the database
            "#]],
        );
        check(
            |it| {
                *it = it.clone().unique("", ["age", "email"]).check("", "age\n< 200");
                it.foreign_keys.push(ForeignKey::new("", ["id"], "y", ["z"]));
                it.indexes.push(Index::new("ix_other", ["email"]));
            },
            expect![[r#"
                check `age < 200` of table `user` is not in the migrations
                foreign key from `id` to `y` (`z`) of table `user` is not in the migrations
                index `ix_other` of table `user` is not in the migrations
                unique constraint on `age`, `email` of table `user` is not in the migrations
            "#]],
        );
        check(
            |it| {
                it.uniques[0].columns = vec!["age".to_owned()];
                it.checks[0].expression = "age > 0".to_owned();
                it.foreign_keys[0].on_delete = Action::NoAction;
                it.foreign_keys[0].on_update = Action::SetNull;
                it.foreign_keys[0].deferrable = Some(Deferrable::InitiallyDeferred);
                it.indexes[0] = Index::new("ix_user_age", ["age"])
                    .column(IndexColumn::expression("lower(email)").collate("x").desc())
                    .unique();
            },
            expect![[r#"
                check `ck_user_age` of table `user` is `age > 0`, but `age >= 0` in the migrations
                foreign key `fk_user_age_x` of table `user` is from `age` to `x` (`id`) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED, but from `age` to `x` (`id`) ON DELETE CASCADE in the migrations
                index `ix_user_age` of table `user` is unique on `age`, `(lower(email)) collate x desc`, but on `age` where `age > 1` in the migrations
                unique constraint `uq_user_email` of table `user` is on `age`, but on `email` in the migrations
            "#]],
        );
        check(
            |it| {
                it.uniques[0].name = "uq".to_owned();
                it.foreign_keys[0].name = "fk".to_owned();
                it.indexes[0].name = "ix".to_owned();
            },
            expect![[r#"
                foreign key `fk` of table `user` is named `fk_user_age_x` in the migrations
                index `ix` of table `user` is named `ix_user_age` in the migrations
                unique constraint `uq` of table `user` is named `uq_user_email` in the migrations
            "#]],
        );
    }

    #[test]
    fn tables_are_found_whatever_their_case() {
        let named = |it: &str| Table { name: it.to_owned(), ..user() };
        let expected = Schema::from_tables([named("a"), named("b")]);
        let actual = Schema::from_tables([named("B"), named("c")]);
        let (found, others) = differences_of(&expected, &actual);
        let text: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["table `a` is missing from the database"]);
        assert_eq!(others, ["c"]);
    }
}
