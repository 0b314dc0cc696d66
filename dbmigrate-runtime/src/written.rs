//! Mistakes in hand-written SQL that can be found before it runs.
//!
//! Some mistakes run without an error but don't do what was intended. A placeholder without a value
//! is NULL. At the character NUL, a database stops reading. COMMIT ends the transaction that the
//! revision runs in, so that a failure after it is not rolled back. And SQLite takes a double-quoted
//! name that matches no column for a text (sqlite.org, `quirks.html`, section 8): a check never
//! fails, a partial index contains no row, and every row gets the name as its value. Every other
//! database reports such a name as an error, so the rule here is the same for all of them.
//!
//! In whole statements ([`crate::operations::Execute`]) names aren't checked. What a name refers to
//! there depends on every table of the database, and on aliases.

use std::collections::BTreeSet;
use std::fmt;

use crate::backend::Backend;
use crate::folding::{Folding, NameRules};
use crate::operations::Operation;
use crate::schema::{DefaultValue, IndexTerm, Schema, Table};
use crate::sql::{self, Kind, Lexicon, Token};

/// A mistake in hand-written SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The description of the mistake, starting in lower case.
    pub message: String,
    /// What to write instead.
    pub hint: String,
    /// Whether the mistake is a name that SQLite takes for a text.
    pub is_name: bool,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The first placeholder of a text, such as `?1`, outside of string literals, quoted names and
/// comments.
fn placeholder<'a>(sql: &'a str, lexicon: &'static Lexicon) -> Option<&'a str> {
    lexicon.tokens(sql).iter().find(|token| token.kind == Kind::Param).map(|token| token.text)
}

/// The hint for SQL that ends the transaction of its revision.
pub(crate) const NO_TRANSACTION: &str = "remove BEGIN, COMMIT and ROLLBACK from the revision, or \
                                         run it outside a transaction with `op.no_transaction()`";

/// What a database would not read.
fn after_nul(sql: &str) -> Option<Mistake> {
    let (before, _) = sql.split_once('\0')?;
    let at = on_one_line(before);
    let after = if at.is_empty() { String::new() } else { format!(", after `{at}`") };
    Some(Mistake {
        message: format!("the SQL has a NUL character{after}, where the database stops reading"),
        hint: "remove it; a step (`op.run`) can bind values that contain it".to_owned(),
        is_name: false,
    })
}

/// A mistake in SQL that runs as it is written.
fn in_statements(sql: &str, lexicon: &'static Lexicon) -> Option<Mistake> {
    if let Some(mistake) = after_nul(sql) {
        return Some(mistake);
    }
    let name = placeholder(sql, lexicon)?;
    let tokens = lexicon.significant(sql);
    let statements = tokens.split(|token| token.is_symbol(";"));
    let has_it = |statement: &&[Token<'_>]| statement.iter().any(|token| token.kind == Kind::Param);
    let statement = statements.into_iter().find(has_it).unwrap_or_default();
    let text = match statement {
        [first, .., last] => &sql[first.start..last.end()],
        _ => sql,
    };
    Some(Mistake {
        message: format!("the placeholder `{name}` in `{}` has no value", on_one_line(text)),
        hint: "write the value itself, or bind it in a step: `op.run(\"...\", |db| { \
               db.execute(\"... ?1 ...\", [value])?; Ok(()) })`"
            .to_owned(),
        is_name: false,
    })
}

/// A placeholder in an expression, which can't get a value.
fn unbound_in(expression: &str, lexicon: &'static Lexicon) -> Option<Mistake> {
    let placeholder = || {
        placeholder(expression, lexicon).map(|name| Mistake {
            message: format!("the placeholder `{name}` has no value"),
            hint: "write the value itself; a step (`op.run`) can bind values".to_owned(),
            is_name: false,
        })
    };
    after_nul(expression).or_else(placeholder)
}

/// A mistake in an expression over the rows of a table.
pub fn in_expression(
    expression: &str,
    table: &Table,
    schema: &Schema,
    rules: NameRules,
) -> Option<Mistake> {
    let lexicon = rules.lexicon;
    if let Some(mistake) = unbound_in(expression, lexicon) {
        return Some(mistake);
    }
    let tokens = lexicon.significant(expression);
    let scope = Scope::of(&tokens, table, schema, rules)?;
    let unknown = names(&tokens).find(|name| !scope.has(name))?;
    let columns = table.columns.iter().map(|column| column.name.as_str());
    let text = lexicon.quote_text(&unknown);
    let hint = match nearest(&unknown, columns) {
        Some(column) => {
            format!("did you mean `{}`? A string is written `{text}`", sql::quote(column))
        }
        None => format!("a string is written in single quotes: `{text}`"),
    };
    Some(Mistake {
        message: format!(
            "`{}` is in double quotes, which makes it a name, but table `{}` has no such column",
            sql::quote(&unknown),
            table.name
        ),
        hint,
        is_name: true,
    })
}

/// A mistake in the expression of a default, which can't refer to columns.
fn in_default(expression: &str, lexicon: &'static Lexicon) -> Option<Mistake> {
    if let Some(mistake) = unbound_in(expression, lexicon) {
        return Some(mistake);
    }
    let tokens = lexicon.significant(expression);
    let name = names(&tokens).next()?;
    let quoted = sql::quote(&name);
    Some(Mistake {
        message: format!(
            "`{quoted}` is in double quotes, which makes it a name, but a default can't name a \
             column"
        ),
        hint: format!("a string is written in single quotes: `{}`", lexicon.quote_text(&name)),
        is_name: true,
    })
}

/// The mistakes in the expressions of a table, each with a description of the expression.
pub fn in_table(table: &Table, schema: &Schema, rules: NameRules) -> Vec<(String, Mistake)> {
    let mut found = Vec::new();
    let mut look = |what: String, mistake: Option<Mistake>| {
        found.extend(mistake.map(|mistake| (what, mistake)));
    };
    let over_rows = |expression: &str| in_expression(expression, table, schema, rules);
    for column in &table.columns {
        if let Some(DefaultValue::Sql(default)) = &column.default {
            look(
                format!("the default of column `{}`", column.name),
                in_default(default, rules.lexicon),
            );
        }
        if let Some(generated) = &column.generated {
            let what = format!("the expression of column `{}`", column.name);
            look(what, over_rows(&generated.expression));
        }
    }
    for check in &table.checks {
        look(format!("check `{}`", check.name), over_rows(&check.expression));
    }
    for index in &table.indexes {
        for column in &index.columns {
            if let IndexTerm::Expression(term) = &column.term {
                look(format!("index `{}`", index.name), over_rows(term));
            }
        }
        if let Some(text) = &index.filter {
            look(format!("the condition of index `{}`", index.name), over_rows(text));
        }
    }
    found
}

/// A statement that ends the transaction, in an operation of a revision that runs in one.
pub(crate) fn ends_transaction(
    operation: &Operation,
    backend: Backend,
    lexicon: &'static Lexicon,
) -> Option<Mistake> {
    let Operation::Execute(operation) = operation else { return None };
    let tokens = lexicon.significant(operation.sql.text(backend)?);
    let ends = outside_of_bodies(&tokens, backend).into_iter().find_map(|statement| {
        let (first, rest) = statement.split_first()?;
        let is_end = ["COMMIT", "END", "ABORT"].iter().any(|word| first.is_word(word))
            || first.is_word("ROLLBACK") && !rest.iter().any(|token| token.is_word("TO"));
        is_end.then_some(first.text)
    })?;
    Some(Mistake {
        message: format!("`{ends}` would end the transaction that the revision runs in"),
        hint: NO_TRANSACTION.to_owned(),
        is_name: false,
    })
}

/// The statements of a text, without those in the body of a trigger or a function: the body has
/// statements of its own, and an END.
fn outside_of_bodies<'a>(tokens: &'a [Token<'a>], backend: Backend) -> Vec<&'a [Token<'a>]> {
    let has_word = |statement: &[Token<'_>], words: &[&str]| {
        statement.iter().any(|token| words.iter().any(|word| token.is_word(word)))
    };
    let with_bodies = ["TRIGGER", "FUNCTION", "PROCEDURE", "EVENT", "PACKAGE"];
    let mut outside = Vec::new();
    let mut in_body = false;
    for statement in tokens.split(|token| token.is_symbol(";")) {
        if in_body {
            in_body = !matches!(statement, [end] if end.is_word("END"));
            continue;
        }
        let has_body = statement.first().is_some_and(|first| first.is_word("CREATE"))
            && has_word(statement, &with_bodies);
        match backend {
            // Bodies there contain blocks with an END of their own.
            Backend::Mysql | Backend::Mariadb if has_body => break,
            _ => in_body = has_body && has_word(statement, &["BEGIN"]),
        }
        outside.push(statement);
    }
    outside
}

/// A placeholder in SQL that an operation runs, as far as it can be found without a schema.
pub fn unbound(operation: &Operation, backend: Backend, rules: NameRules) -> Option<Mistake> {
    let of_rows = operation.row_expression().and_then(|text| unbound_in(text, rules.lexicon));
    of_rows.or_else(|| in_operation(operation, &Schema::default(), backend, rules))
}

/// A mistake in SQL that an operation runs, given the schema before it, the kind of database and
/// the rules for its names.
pub fn in_operation(
    operation: &Operation,
    before: &Schema,
    backend: Backend,
    rules: NameRules,
) -> Option<Mistake> {
    if let Operation::Execute(operation) = operation {
        let look = |sql| in_statements(sql, rules.lexicon);
        let there = operation.sql.text(backend).and_then(look);
        let back = || operation.reverse.as_ref()?.text(backend).and_then(look);
        let reversing = |mistake: Mistake| Mistake {
            message: format!("{}, in its `reversed_by`", mistake.message),
            ..mistake
        };
        return there.or_else(|| back().map(reversing));
    }
    let table = operation.tables().first().and_then(|name| before.table(name));
    let of_rows = operation
        .row_expression()
        .zip(table)
        .and_then(|(text, table)| in_expression(text, table, before, rules));
    of_rows.or_else(|| kept(operation, before, rules).find(|mistake| !mistake.is_name))
}

/// A mistake in an expression that an operation adds to its table, such as a check: a name that
/// SQLite takes for a text.
pub fn kept_names(operation: &Operation, before: &Schema, rules: NameRules) -> Option<Mistake> {
    kept(operation, before, rules).find(|mistake| mistake.is_name)
}

/// The mistakes in the expressions that an operation adds to its table.
fn kept(operation: &Operation, before: &Schema, rules: NameRules) -> impl Iterator<Item = Mistake> {
    let table = match operation {
        Operation::CreateTable(table) => Some(&table.name),
        Operation::AddColumn { table, .. }
        | Operation::AlterColumn { table, .. }
        | Operation::AddCheck { table, .. }
        | Operation::CreateIndex { table, .. } => Some(table),
        Operation::DropTable { .. }
        | Operation::RenameTable { .. }
        | Operation::AlterTable { .. }
        | Operation::DropColumn { .. }
        | Operation::RenameColumn { .. }
        | Operation::AddPrimaryKey { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::DropCheck { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => None,
    };
    let of = |schema: &Schema| {
        let table = table.and_then(|table| schema.table(table));
        table.map(|table| in_table(table, schema, rules)).unwrap_or_default()
    };
    let old = of(before);
    let mut after = Schema::from_tables(table.and_then(|table| before.table(table)).cloned());
    // An operation that doesn't fit is reported when it is planned.
    let _ = table.map(|_| operation.apply(&mut after));
    let new = of(&after).into_iter().filter(move |pair| !old.contains(pair));
    new.map(|(what, mistake)| Mistake {
        message: format!("{what}: {}", mistake.message),
        ..mistake
    })
}

/// What double-quoted names can refer to in an expression.
struct Scope {
    folding: Folding,
    names: BTreeSet<String>,
}

impl Scope {
    /// The names that an expression over a table's rows can use, given its tokens; `None` if a
    /// subquery reads something outside of the schema, so that its columns are unknown.
    fn of(tokens: &[Token<'_>], table: &Table, schema: &Schema, rules: NameRules) -> Option<Scope> {
        let folding = rules.folding;
        let mut names = BTreeSet::new();
        let mut add = |name: &str| {
            names.insert(folding.others.folded(name));
        };
        table.columns.iter().for_each(|column| add(&column.name));
        rules.hidden_columns.iter().for_each(|name| add(name));
        if !tokens.iter().any(|token| token.is_word("SELECT")) {
            return Some(Scope { folding, names });
        }
        let find = |token: &Token<'_>| folding.table(schema, &token.identifier()?);
        for (idx, token) in tokens.iter().enumerate() {
            let after = tokens.get(idx + 1);
            if token.is_word("FROM") || token.is_word("JOIN") {
                after.and_then(find)?;
                let mut rest = tokens[idx + 1..].iter();
                let ends = ["WHERE", "JOIN", "ON", "GROUP", "ORDER", "LIMIT", "UNION", "SELECT"];
                let is_end = |token: &&Token<'_>| {
                    token.is_symbol(")") || ends.iter().any(|word| token.is_word(word))
                };
                // A comma-separated list of sources is a join, which nothing else here needs.
                if rest
                    .by_ref()
                    .take_while(|token| !is_end(token))
                    .any(|token| token.is_symbol(","))
                {
                    return None;
                }
            }
            if let Some(source) = find(token) {
                source.columns.iter().for_each(|column| add(&column.name));
                add(&source.name);
                after.and_then(Token::identifier).iter().for_each(|alias| add(alias));
            }
            if token.is_word("AS") {
                after.and_then(Token::identifier).iter().for_each(|alias| add(alias));
            }
        }
        Some(Scope { folding, names })
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&self.folding.others.folded(name))
    }
}

/// The double-quoted names that are read as columns, or as texts if no column has the name. An
/// unknown name is an error anyway if it is qualified, called, a type's, or a collation's.
fn names<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = String> + 'a {
    let mut in_type = false;
    tokens.iter().enumerate().filter_map(move |(idx, token)| {
        let before = idx.checked_sub(1).and_then(|n| tokens.get(n));
        in_type = before.is_some_and(|token| token.is_word("AS"))
            || in_type && token.kind != Kind::Symbol;
        let follows = |what: fn(&Token<'_>) -> bool| before.is_some_and(what);
        let precedes =
            |symbol: &str| tokens.get(idx + 1).is_some_and(|token| token.is_symbol(symbol));
        let is_other = in_type
            || follows(|token| token.is_symbol(".") || token.is_word("COLLATE"))
            || precedes(".")
            || precedes("(");
        let is_name = token.kind == Kind::Quoted && token.text.starts_with('"') && !is_other;
        token.unquoted().filter(|_| is_name).map(|name| name.into_owned())
    })
}

/// The name that a misspelled one was most likely meant to be.
pub fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let at_most = (wrong.chars().count() / 3).clamp(1, 3);
    let distances = names.map(|name| (distance(&wrong, &name.to_lowercase()), name));
    let (_, name) = distances
        .filter(|(distance, _)| *distance <= at_most)
        .min_by_key(|(distance, _)| *distance)?;
    Some(name)
}

/// How many letters have to be added, removed, replaced or swapped with the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let exchanged = rows[i][j] + usize::from(letter != other);
            let mut least = exchanged.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == b[j - 1] && a[i - 1] == *other {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// The beginning of a statement on one line, for a message.
fn on_one_line(sql: &str) -> String {
    let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", text[..end].trim_end()),
        None => text,
    }
}

#[cfg(test)]
mod tests;
