//! Parses a definition into its parts.

use super::cursor::{Cursor, is_constant, is_default, is_of_type};
use super::edit::closed;
use super::index::terms;
use super::trivia::has_comment;
use super::{
    Clause, ClauseKind, ColumnItem, ConstraintItem, ConstraintKind, Definition, KeyColumn, Layout,
    Reference, Written,
};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{
    Deferrable, IndexColumn, IndexTerm, ReferentialAction, TableOption, TableOptions,
};
use crate::sql::{Kind, Token};

impl Definition {
    /// Parses a `CREATE TABLE` statement.
    ///
    /// # Errors
    ///
    /// What could not be parsed, and where.
    pub(crate) fn parse(sql: &str) -> Result<Definition, String> {
        let mut cursor = Cursor::new(sql)?;
        cursor.expect(&["CREATE"])?;
        if cursor.is_at(&["VIRTUAL"]) {
            return Err("it is a virtual table".to_owned());
        }
        let _ = cursor.eat(&["TEMP"]) || cursor.eat(&["TEMPORARY"]);
        cursor.expect(&["TABLE"])?;
        cursor.eat(&["IF", "NOT", "EXISTS"]);
        let mut name = cursor.name("a table's name")?;
        if cursor.eat_symbol(".") {
            name = cursor.name("a table's name")?;
        }
        if cursor.is_at(&["AS"]) {
            return Err("it takes its columns from a query (`CREATE TABLE ... AS`)".to_owned());
        }
        let open = Some(cursor.trivia()).filter(|open| has_comment(open)).unwrap_or_default();
        let open = open.to_owned();
        cursor.expect_symbol("(")?;
        let items = items(&mut cursor)?;
        cursor.expect_symbol(")")?;
        let (options, tail) = options(&mut cursor)?;
        let Items { columns, constraints, close } = items;
        let tail_options = options.clone();
        Ok(Definition { name, columns, constraints, options, open, close, tail, tail_options })
    }
}

impl ColumnItem {
    /// Parses one column's definition.
    ///
    /// # Errors
    ///
    /// What could not be parsed, and where.
    pub(crate) fn new(text: impl Into<String>) -> Result<ColumnItem, String> {
        let text = text.into();
        let mut cursor = Cursor::new(&text)?;
        let mut item = column(&mut cursor)?;
        cursor.expect_end()?;
        item.text = closed(&text);
        Ok(item)
    }
}

impl ConstraintItem {
    /// Parses one constraint of a table.
    ///
    /// # Errors
    ///
    /// What could not be parsed, and where.
    pub(crate) fn new(text: impl Into<String>) -> Result<ConstraintItem, String> {
        let text = text.into();
        let mut cursor = Cursor::new(&text)?;
        let mut item = constraint(&mut cursor)?;
        cursor.expect_end()?;
        item.text = closed(&text);
        Ok(item)
    }
}

impl Clause {
    /// Parses one clause of a column.
    pub(super) fn new(text: &str) -> Result<Clause, String> {
        let mut cursor = Cursor::new(text)?;
        let mut clauses = clauses(&mut cursor)?;
        cursor.expect_end()?;
        match clauses.pop() {
            Some(clause) if clauses.is_empty() => Ok(clause),
            _ => Err(format!("`{text}` is not a single clause of a column")),
        }
    }
}

struct Items {
    columns: Vec<ColumnItem>,
    constraints: Vec<ConstraintItem>,
    close: String,
}

fn items(cursor: &mut Cursor<'_>) -> Result<Items, String> {
    let (mut columns, mut constraints) = (Vec::<ColumnItem>::new(), Vec::<ConstraintItem>::new());
    let mut lead = cursor.trivia().to_owned();
    loop {
        let layout = if !columns.is_empty() && is_at_constraint(cursor) {
            let idx = constraints.len();
            constraints.push(constraint(cursor)?);
            &mut constraints[idx].layout
        } else if constraints.is_empty() {
            let idx = columns.len();
            columns.push(column(cursor)?);
            &mut columns[idx].layout
        } else {
            return Err(cursor.expected("a constraint"));
        };
        layout.lead = Some(lead);
        let mut behind = cursor.trivia();
        let has_comma = cursor.is_at_symbol(",");
        if has_comma {
            behind.clone_into(&mut layout.after);
            cursor.eat_symbol(",");
            behind = cursor.trivia();
        }
        let (trailing, rest) = at_line_end(behind);
        trailing.clone_into(&mut layout.trailing);
        lead = rest.to_owned();
        if !has_comma && cursor.is_at_symbol(")") {
            return Ok(Items { columns, constraints, close: lead });
        }
        // SQLite doesn't require a comma between two constraints.
        if !has_comma && (constraints.is_empty() || !is_at_constraint(cursor)) {
            return Err(cursor.expected("`,` or `)`"));
        }
    }
}

/// Splits white space and comments into a comment at the end of the line and what follows it.
fn at_line_end(trivia: &str) -> (&str, &str) {
    if !has_comment(trivia) {
        return ("", trivia);
    }
    let tokens = LEXICON.tokens(trivia);
    let line =
        tokens.iter().position(|token| token.kind == Kind::Space && token.text.contains('\n'));
    let (before, end) = match line {
        Some(line) => {
            (&tokens[..line], tokens[line].start + tokens[line].text.find('\n').unwrap_or(0))
        }
        None => (&tokens[..], trivia.len()),
    };
    let has_comment = before.iter().any(|token| token.kind == Kind::Comment);
    // A comment before another item on the same line belongs to that item.
    if has_comment && line.is_some() { trivia.split_at(end) } else { ("", trivia) }
}

fn is_at_constraint(cursor: &Cursor<'_>) -> bool {
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| cursor.is_at(&[word]))
}

/// The options after the closing parenthesis, and their text.
fn options(cursor: &mut Cursor<'_>) -> Result<(TableOptions, String), String> {
    let mut options = TableOptions::default();
    let from = cursor.position();
    let mut tail = cursor.trivia().to_owned();
    // SQLite also accepts a comma before the first option.
    let mut has_more = cursor.eat_symbol(",");
    while has_more || cursor.position() == from && !cursor.is_at_end() && !cursor.is_at_symbol(";")
    {
        if cursor.eat(&["WITHOUT", "ROWID"]) {
            options.set(TableOption::WithoutRowid, true);
        } else if cursor.eat(&["STRICT"]) {
            options.set(TableOption::Strict, true);
        } else {
            return Err(cursor.expected("`STRICT` or `WITHOUT ROWID`"));
        }
        has_more = cursor.eat_symbol(",");
    }
    tail.push_str(cursor.text_from(from));
    if cursor.position() > from {
        tail.push_str(cursor.trivia());
    }
    while cursor.eat_symbol(";") {}
    cursor.expect_end()?;
    tail.truncate(tail.trim_ascii_end().len());
    Ok((options, tail))
}

fn column(cursor: &mut Cursor<'_>) -> Result<ColumnItem, String> {
    let from = cursor.position();
    let name = cursor.name("a column's name")?;
    let mut written = Written { name: cursor.text_from(from).to_owned(), ..Written::default() };
    let (type_lead, type_from) = (cursor.trivia(), cursor.position());
    let ty = type_words(cursor)?;
    if !ty.is_empty() {
        type_lead.clone_into(&mut written.type_lead);
        cursor.text_from(type_from).clone_into(&mut written.ty);
    }
    let clauses = clauses(cursor)?;
    let text = cursor.text_from(from).to_owned();
    Ok(ColumnItem { name, ty, clauses, written, text, layout: Layout::default() })
}

fn type_words(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let from = cursor.position();
    let mut is_generated = false;
    while !cursor.is_at(&["GENERATED", "ALWAYS", "AS"]) {
        // SQLite doesn't accept these two words as part of a type.
        is_generated |= cursor.is_at(&["GENERATED", "ALWAYS"]);
        if cursor.eat_if(is_of_type).is_none() {
            break;
        }
    }
    if is_generated {
        return Err(cursor.expected("`AS` after `GENERATED ALWAYS`"));
    }
    if cursor.position() > from && cursor.eat_symbol("(") {
        signed_number(cursor)?;
        if cursor.eat_symbol(",") {
            signed_number(cursor)?;
        }
        cursor.expect_symbol(")")?;
    }
    Ok(normalised(cursor.slice(from..cursor.position())))
}

fn signed_number(cursor: &mut Cursor<'_>) -> Result<(), String> {
    let _ = cursor.eat_symbol("+") || cursor.eat_symbol("-");
    let number = cursor.eat_if(|token| token.kind == Kind::Number);
    number.map(|_| ()).ok_or_else(|| cursor.expected("a number"))
}

/// The tokens, with one space wherever there was something between two words.
pub(super) fn normalised(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for (idx, token) in tokens.iter().enumerate() {
        let is_apart = idx > 0 && tokens[idx - 1].end() < token.start;
        let is_tight = token.kind == Kind::Symbol || out.ends_with(['(', '+', '-']);
        if is_apart && (!is_tight || out.ends_with(',')) {
            out.push(' ');
        }
        out.push_str(token.text);
    }
    out
}

fn clauses(cursor: &mut Cursor<'_>) -> Result<Vec<Clause>, String> {
    let mut clauses: Vec<Clause> = Vec::new();
    loop {
        let (lead, from) = (cursor.trivia(), cursor.position());
        let name = constraint_name(cursor)?;
        if is_at_deferral(cursor) {
            // The clause may be separated from the REFERENCES that it belongs to.
            let key = clauses.iter_mut().rev().find_map(|clause| match &mut clause.kind {
                ClauseKind::References(key) => Some((key, &mut clause.text)),
                _ => None,
            });
            let error = cursor.expected("a foreign key");
            let (key, text) = key.ok_or(error)?;
            deferral(cursor, key)?;
            text.push_str(if lead.is_empty() { " " } else { lead });
            text.push_str(cursor.text_from(from));
            continue;
        }
        let Some(kind) = clause_kind(cursor)?.or(name.is_some().then_some(ClauseKind::OnlyName))
        else {
            return Ok(clauses);
        };
        let text = cursor.text_from(from).to_owned();
        clauses.push(Clause { name, kind, text, lead: lead.to_owned() });
    }
}

/// The name after `CONSTRAINT`. If there are several, the last one counts.
fn constraint_name(cursor: &mut Cursor<'_>) -> Result<Option<String>, String> {
    let mut name = None;
    while cursor.eat(&["CONSTRAINT"]) {
        name = Some(cursor.name("a constraint's name")?);
    }
    Ok(name)
}

fn clause_kind(cursor: &mut Cursor<'_>) -> Result<Option<ClauseKind>, String> {
    let kind = if cursor.eat(&["PRIMARY"]) {
        cursor.expect(&["KEY"])?;
        let descending = cursor.eat(&["DESC"]);
        if !descending {
            cursor.eat(&["ASC"]);
        }
        let conflict = conflict(cursor)?;
        let autoincrement = cursor.eat(&["AUTOINCREMENT"]);
        ClauseKind::PrimaryKey { descending, autoincrement, conflict }
    } else if cursor.eat(&["NOT"]) {
        cursor.expect(&["NULL"])?;
        ClauseKind::NotNull { conflict: conflict(cursor)? }
    } else if cursor.eat(&["NULL"]) {
        conflict(cursor)?;
        ClauseKind::Null
    } else if cursor.eat(&["UNIQUE"]) {
        ClauseKind::Unique { conflict: conflict(cursor)? }
    } else if cursor.eat(&["CHECK"]) {
        ClauseKind::Check(cursor.group()?.to_owned())
    } else if cursor.eat(&["DEFAULT"]) {
        ClauseKind::Default(default(cursor)?)
    } else if cursor.eat(&["COLLATE"]) {
        ClauseKind::Collate(cursor.name("a collation")?)
    } else if cursor.eat(&["REFERENCES"]) {
        ClauseKind::References(reference(cursor)?)
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat(&["AS"]) {
        let expression = cursor.group()?.to_owned();
        let stored = cursor.eat(&["STORED"]);
        if !stored {
            cursor.eat(&["VIRTUAL"]);
        }
        ClauseKind::Generated { expression, stored }
    } else {
        return Ok(None);
    };
    Ok(Some(kind))
}

fn default(cursor: &mut Cursor<'_>) -> Result<String, String> {
    let from = cursor.position();
    if cursor.is_at_symbol("(") {
        cursor.group()?;
    } else {
        let is_signed = cursor.eat_symbol("+") || cursor.eat_symbol("-");
        let value = cursor.eat_if(|token| {
            if is_signed { is_constant(token) || token.is_word("NULL") } else { is_default(token) }
        });
        value.ok_or_else(|| cursor.expected("a default"))?;
    }
    Ok(cursor.text_from(from).to_owned())
}

/// The word after `ON CONFLICT`.
fn conflict(cursor: &mut Cursor<'_>) -> Result<Option<String>, String> {
    if !cursor.is_at(&["ON", "CONFLICT"]) {
        return Ok(None);
    }
    cursor.eat(&["ON", "CONFLICT"]);
    let ways = ["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"];
    match ways.iter().find(|way| cursor.eat(&[way])) {
        Some(way) => Ok(Some((*way).to_owned())),
        None => Err(cursor.expected("a conflict clause")),
    }
}

/// The target after `REFERENCES`.
fn reference(cursor: &mut Cursor<'_>) -> Result<Reference, String> {
    let table = cursor.name("the referenced table")?;
    let columns = if cursor.is_at_symbol("(") { names(cursor)? } else { Vec::new() };
    let (on_delete, on_update) = (ReferentialAction::NoAction, ReferentialAction::NoAction);
    let mut key = Reference { table, columns, on_delete, on_update, deferrable: None };
    loop {
        if cursor.eat(&["MATCH"]) {
            cursor.name("the name of a `MATCH`")?;
        } else if cursor.eat(&["ON", "DELETE"]) {
            key.on_delete = action(cursor)?;
        } else if cursor.eat(&["ON", "UPDATE"]) {
            key.on_update = action(cursor)?;
        } else if cursor.eat(&["ON", "INSERT"]) {
            // SQLite accepts this action but ignores it.
            action(cursor)?;
        } else {
            break;
        }
    }
    while is_at_deferral(cursor) {
        deferral(cursor, &mut key)?;
    }
    Ok(key)
}

fn action(cursor: &mut Cursor<'_>) -> Result<ReferentialAction, String> {
    let all = [
        ReferentialAction::NoAction,
        ReferentialAction::Restrict,
        ReferentialAction::Cascade,
        ReferentialAction::SetNull,
        ReferentialAction::SetDefault,
    ];
    let found = all.into_iter().find(|referential_action| {
        let words: Vec<&str> = referential_action.sql().split(' ').collect();
        cursor.eat(&words)
    });
    found.ok_or_else(|| cursor.expected("an action"))
}

fn is_at_deferral(cursor: &Cursor<'_>) -> bool {
    cursor.is_at(&["DEFERRABLE"]) || cursor.is_at(&["NOT", "DEFERRABLE"])
}

fn deferral(cursor: &mut Cursor<'_>, key: &mut Reference) -> Result<(), String> {
    let is_not = cursor.eat(&["NOT"]);
    cursor.expect(&["DEFERRABLE"])?;
    let mut deferrable = Deferrable::InitiallyImmediate;
    if cursor.eat(&["INITIALLY"]) {
        if cursor.eat(&["DEFERRED"]) {
            deferrable = Deferrable::InitiallyDeferred;
        } else {
            cursor.expect(&["IMMEDIATE"])?;
        }
    }
    // NOT DEFERRABLE is the default anyway, and doesn't revoke an earlier clause.
    if !is_not {
        key.deferrable = Some(deferrable);
    }
    Ok(())
}

/// Names in parentheses. Old files may also have collations and orders there, which SQLite accepts.
fn names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, String> {
    cursor.expect_symbol("(")?;
    let mut names = Vec::new();
    loop {
        names.push(cursor.name("a column's name")?);
        if cursor.eat(&["COLLATE"]) {
            cursor.name("a collation")?;
        }
        let _ = cursor.eat(&["ASC"]) || cursor.eat(&["DESC"]);
        if !cursor.eat_symbol(",") {
            break;
        }
    }
    cursor.expect_symbol(")")?;
    Ok(names)
}

fn constraint(cursor: &mut Cursor<'_>) -> Result<ConstraintItem, String> {
    let from = cursor.position();
    let name = constraint_name(cursor)?;
    let kind = if cursor.eat(&["PRIMARY"]) {
        cursor.expect(&["KEY"])?;
        let (columns, autoincrement) = key_columns(cursor, true)?;
        ConstraintKind::PrimaryKey { columns, autoincrement, conflict: conflict(cursor)? }
    } else if cursor.eat(&["UNIQUE"]) {
        let (columns, _) = key_columns(cursor, false)?;
        ConstraintKind::Unique { columns, conflict: conflict(cursor)? }
    } else if cursor.eat(&["CHECK"]) {
        let expression = cursor.group()?.to_owned();
        conflict(cursor)?;
        ConstraintKind::Check(expression)
    } else if cursor.eat(&["FOREIGN"]) {
        cursor.expect(&["KEY"])?;
        let columns = names(cursor)?;
        cursor.expect(&["REFERENCES"])?;
        ConstraintKind::ForeignKey { columns, reference: reference(cursor)? }
    } else if name.is_some() {
        ConstraintKind::OnlyName
    } else {
        return Err(cursor.expected("a constraint"));
    };
    let text = cursor.text_from(from).to_owned();
    Ok(ConstraintItem { name, kind, text, layout: Layout::default() })
}

/// The columns of a key, and whether `AUTOINCREMENT` follows them.
fn key_columns(
    cursor: &mut Cursor<'_>,
    may_increment: bool,
) -> Result<(Vec<KeyColumn>, bool), String> {
    let (terms, autoincrement) = terms(cursor, may_increment)?;
    let columns =
        terms.into_iter().map(|IndexColumn { term, descending, collation, .. }| match term {
            IndexTerm::Column(name) => Ok(KeyColumn { name, collation, descending }),
            IndexTerm::Expression(term) => Err(format!("expected a column's name at `{term}`")),
        });
    Ok((columns.collect::<Result<_, _>>()?, autoincrement))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(sql: &str, expect: Expect) {
        expect.assert_eq(&Definition::parse(sql).unwrap_err());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        check("", expect!["expected `CREATE` at the end"]);
        check("CREATE VIEW v AS SELECT 1", expect!["expected `TABLE` at `VIEW v AS SELECT 1`"]);
        check("CREATE VIRTUAL TABLE t USING fts5(a)", expect!["it is a virtual table"]);
        check(
            "CREATE TABLE t AS SELECT 1 AS a",
            expect!["it takes its columns from a query (`CREATE TABLE ... AS`)"],
        );
        check("CREATE TABLE t", expect!["expected `(` at the end"]);
        check("CREATE TABLE t ()", expect!["expected a column's name at `)`"]);
        check("CREATE TABLE t (a,)", expect!["expected a column's name at `)`"]);
        check("CREATE TABLE t (a INT", expect!["expected `,` or `)` at the end"]);
        check("CREATE TABLE t (a INT 'b", expect!["the quote in `'b` is not closed"]);
        check(
            "CREATE TABLE t (a VARCHAR(10) BINARY, b INT)",
            expect!["expected `,` or `)` at `BINARY, b INT)`"],
        );
        check("CREATE TABLE t (a INT CHECK ())", expect!["expected an expression at `))`"]);
        check(
            "CREATE TABLE t (a INT CHECK (a > ?1))",
            expect!["the placeholder `?1` has no value"],
        );
        check("CREATE TABLE t (a INT CHECK (a > 1)", expect!["expected `,` or `)` at the end"]);
        check(
            "CREATE TABLE t (a INT, UNIQUE (a), b INT)",
            expect!["expected a constraint at `b INT)`"],
        );
        check(
            "CREATE TABLE t (a INT, UNIQUE (a + 1))",
            expect!["expected a column's name at `a + 1`"],
        );
        check(
            "CREATE TABLE t (a INT, UNIQUE (a NULLS LAST))",
            expect!["SQLite has no index with `NULLS LAST`"],
        );
        check(
            "CREATE TABLE t (a INT GENERATED ALWAYS)",
            expect!["expected `AS` after `GENERATED ALWAYS` at `)`"],
        );
        check(
            "CREATE TABLE t (a INT ON CONFLICT IGNORE)",
            expect!["expected `,` or `)` at `ON CONFLICT IGNORE)`"],
        );
        check(
            "CREATE TABLE t (a INT NOT NULL ON CONFLICT EXPLODE)",
            expect!["expected a conflict clause at `EXPLODE)`"],
        );
        check(
            "CREATE TABLE t (a INT DEFERRABLE)",
            expect!["expected a foreign key at `DEFERRABLE)`"],
        );
        check("CREATE TABLE t (a INT DEFAULT -b)", expect!["expected a default at `b)`"]);
        check(
            "CREATE TABLE t (a INT) ENGINE=InnoDB",
            expect!["expected `STRICT` or `WITHOUT ROWID` at `ENGINE=InnoDB`"],
        );
        check(
            "CREATE TABLE t (a INT); DROP TABLE t",
            expect!["expected the end of the statement at `DROP TABLE t`"],
        );
    }

    #[test]
    fn a_column_has_a_type_and_clauses() {
        let check = |text: &str, ty: &str, kinds: &[ClauseKind], texts: &[&str]| {
            let column = ColumnItem::new(text).unwrap();
            assert_eq!(column.ty, ty, "{text}");
            let found: Vec<_> = column.clauses.iter().map(|clause| clause.kind.clone()).collect();
            assert_eq!(found, kinds, "{text}");
            let found: Vec<_> = column.clauses.iter().map(|clause| clause.text.as_str()).collect();
            assert_eq!(found, texts, "{text}");
        };
        check("a", "", &[], &[]);
        check("a DECIMAL  ( 10 ,2 )", "DECIMAL(10,2)", &[], &[]);
        check("a NUMERIC(+1, - 2)", "NUMERIC(+1, -2)", &[], &[]);
        check("a long /* very */ long\ninteger", "long long integer", &[], &[]);
        check("a varchar[10]", "varchar[10]", &[], &[]);
        check(
            "a INT CONSTRAINT \"n\" NOT /**/ NULL DEFAULT ( 1 ) -- c",
            "INT",
            &[ClauseKind::NotNull { conflict: None }, ClauseKind::Default("( 1 )".to_owned())],
            &["CONSTRAINT \"n\" NOT /**/ NULL", "DEFAULT ( 1 )"],
        );
        check(
            "a TEXT COLLATE [x y] CHECK ( a > 0 -- c\n) AS (b) STORED",
            "TEXT",
            &[
                ClauseKind::Collate("x y".to_owned()),
                ClauseKind::Check("a > 0".to_owned()),
                ClauseKind::Generated { expression: "b".to_owned(), stored: true },
            ],
            &["COLLATE [x y]", "CHECK ( a > 0 -- c\n)", "AS (b) STORED"],
        );
        let reference = Reference {
            table: "p".to_owned(),
            columns: vec!["id".to_owned()],
            on_delete: ReferentialAction::SetNull,
            on_update: ReferentialAction::Cascade,
            deferrable: Some(Deferrable::InitiallyDeferred),
        };
        check(
            "a REFERENCES p('id') ON DELETE SET NULL ON UPDATE CASCADE UNIQUE \
             DEFERRABLE INITIALLY DEFERRED",
            "",
            &[ClauseKind::References(reference), ClauseKind::Unique { conflict: None }],
            &[
                "REFERENCES p('id') ON DELETE SET NULL ON UPDATE CASCADE \
                 DEFERRABLE INITIALLY DEFERRED",
                "UNIQUE",
            ],
        );
    }
}
