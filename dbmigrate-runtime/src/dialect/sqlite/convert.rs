//! What happens to existing values when a column's declared type changes.
//!
//! A new declared type may convert stored values (sqlite.org, `datatype3.html`, section 3), and not
//! every value survives that unchanged. Such values are found before the change.

use super::super::Guard;
use super::affinity::{Affinity, Conversion, Server, Stored, affinity};
use super::ddl::any;
use super::edit::same_name;
use super::form::{self, Form};
use super::hint::hint;
use super::{ddl, decimal, words};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{Column, Type};
use crate::sql::{self, Kind, quote};

/// The condition for a value other than NULL to fit the new type; `None` if all values do.
pub(super) fn fits(column: &str, conversion: &Conversion<'_>) -> Option<String> {
    let Conversion { was, to, .. } = conversion;
    let form = Form::demanded(&conversion.was, &conversion.to)
        // `untold_json` refuses these values.
        .filter(|form| *form != Form::Json || conversion.server.has_json);
    let stays = stays(column, was.declared, to.declared);
    let Some(form) = form else { return stays };
    let own = decimal::as_text(column, was.declared, to.declared);
    let own = own.unwrap_or_else(|| quote(column));
    let condition = form.condition(&own, to.declared);
    match stays {
        Some(_) if form.is_all() => Some(condition),
        Some(stays) => Some(format!("({stays}) AND {condition}")),
        // What isn't converted is read as it is.
        None => {
            let was = words::understood(&was.column.ty);
            let was = was.as_ref().unwrap_or(&conversion.was.column.ty);
            let is_text = matches!(was, Type::Text | Type::String(_));
            let is_number = matches!(form, Form::Numeric | Form::Decimal(..));
            let read = form::read_of(&own, to)?;
            if is_text && is_number {
                return Some(format!("{read} AND {}", decimal::is_plain(&own)));
            }
            Some(read)
        }
    }
}

/// The condition for a value other than NULL to be unchanged after SQLite converted it to a new
/// declared type; `None` if all values are.
pub(super) fn stays(column: &str, from: &str, to: &str) -> Option<String> {
    if let Some(fits) = decimal::fits(column, from, to) {
        return Some(fits);
    }
    let target = affinity(to);
    if affinity(from) == target || to.is_empty() || to.eq_ignore_ascii_case("ANY") {
        return None;
    }
    let c = quote(column);
    // The column's own collation may exist only in the application.
    let t = format!("{c} COLLATE BINARY");
    Some(match target {
        Affinity::Integer => form::integer(&c),
        Affinity::Real => format!(
            "CASE typeof({c}) WHEN 'real' THEN 1 WHEN 'integer' THEN CAST({c} AS REAL) = {c} \
             WHEN 'text' THEN CAST(CAST({c} AS REAL) AS TEXT) = {t} \
             OR CAST(CAST({c} AS INTEGER) AS TEXT) = {t} \
             AND CAST({c} AS REAL) = CAST({c} AS INTEGER) ELSE 0 END"
        ),
        Affinity::Text => format!(
            "CASE typeof({c}) WHEN 'blob' THEN 0 \
             WHEN 'real' THEN CAST(CAST({c} AS TEXT) AS REAL) = {c} ELSE 1 END"
        ),
        Affinity::Blob => format!("typeof({c}) = 'blob'"),
        // Only text that looks like a number is converted to one, and exactly such text is equal to
        // a number in a comparison.
        Affinity::Numeric => format!(
            "CASE typeof({c}) WHEN 'text' THEN {t} <> CAST({c} AS NUMERIC) \
             OR CAST(CAST({c} AS NUMERIC) AS TEXT) = {t} ELSE 1 END"
        ),
    })
}

/// Finds values that don't fit the new type: those that SQLite would change, and those that it
/// would keep in a form that a reader of the new type doesn't expect.
pub(super) fn check(table: &str, column: &str, conversion: &Conversion<'_>) -> Option<Guard> {
    if let Some(untold) = untold_json(table, column, conversion) {
        return Some(untold);
    }
    let form = Form::demanded(&conversion.was, &conversion.to);
    let rows = format!("{} WHERE {} IS NOT NULL", quote(table), quote(column));
    let fits = fits(column, conversion)?;
    let to = &conversion.to;
    let ty = shown_type(form, to);
    let sql = any(&format!("{rows} AND NOT ({fits})"));
    Some(Guard::fitting(sql, table, column, &ty, hint(column, conversion)))
}

/// Finds values that an expression gave to a column of a table, which has another name meanwhile,
/// and that a reader of the column's type doesn't take.
pub(super) fn check_given(
    (table, scratch): (&str, &str),
    to: &Stored<'_>,
    expression: &str,
    server: Server,
) -> Option<Guard> {
    let Column { name: column, ty, .. } = to.column;
    // The values of an enumeration are a constraint of the table.
    if matches!(ty, Type::Text | Type::Enum(..)) || is_constant(expression, column) {
        return None;
    }
    let rows = format!("{} WHERE {} IS NOT NULL", quote(scratch), quote(column));
    if *ty == Type::Json && !server.has_json {
        return Some(without_json(any(&rows), table, column));
    }
    let read = form::read(to)?;
    let ty = shown_type(Form::of(ty), to);
    let sql = any(&format!("{rows} AND NOT ({read})"));
    Some(Guard::given(sql, [table, column], &ty, expression))
}

/// Finds values of which a database without JSON functions can't tell whether they are JSON.
pub(super) fn untold_json(table: &str, column: &str, conversion: &Conversion<'_>) -> Option<Guard> {
    let form = Form::demanded(&conversion.was, &conversion.to);
    let is_untold = form == Some(Form::Json) && !conversion.server.has_json;
    is_untold.then(|| {
        let rows = format!("{} WHERE {} IS NOT NULL", quote(table), quote(column));
        without_json(any(&rows), table, column)
    })
}

fn without_json(sql: String, table: &str, column: &str) -> Guard {
    Guard {
        sql,
        failure: format!(
            "cannot check whether {{}} of the values in column `{column}` of table `{table}` are \
             JSON: this SQLite has no JSON functions"
        ),
        hint: Some(
            "link a newer SQLite, for example with the runtime's feature `bundled`".to_owned(),
        ),
        warning: None,
    }
}

/// The type for messages: the declared one, unless SQLite declares several types in the same way.
fn shown_type(form: Option<Form<'_>>, to: &Stored<'_>) -> String {
    match form.filter(|form| !form.is_declared_by(to.declared)) {
        Some(_) => to.column.ty.to_string(),
        None => to.declared.to_owned(),
    }
}

/// Whether the expression is one value, or one in place of NULL, which was tried when it was
/// written.
fn is_constant(expression: &str, column: &str) -> bool {
    let is_named = fills_null(expression, column);
    LEXICON.significant(expression).iter().all(|token| match token.kind {
        Kind::Word | Kind::Quoted => {
            let is_value = ["NULL", "TRUE", "FALSE"].iter().any(|word| token.is_word(word));
            is_value || is_named && (token.is_word("COALESCE") || token.is_name(column))
        }
        _ => true,
    })
}

/// Whether the expression is `coalesce(column, ...)`, which leaves all that isn't NULL as it is.
pub(super) fn fills_null(expression: &str, column: &str) -> bool {
    let tokens = LEXICON.significant(expression);
    let [coalesce, open, first, comma, rest @ .., close] = tokens.as_slice() else { return false };
    coalesce.is_word("coalesce")
        && open.is_symbol("(")
        && first.identifier().is_some_and(|name| same_name(&name, column))
        && comma.is_symbol(",")
        && close.is_symbol(")")
        && sql::is_balanced(rest)
}

/// Whether a column keeps each of its values when it gets a type in SQLite's own words.
pub(super) fn keeps_values(from: &Type, to: &Type) -> bool {
    let Some(to) = words::own_words(to) else { return false };
    ddl::type_name(from, false).is_ok_and(|from| stays("c", &from, to).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect as _, Facts, Sqlite};
    use crate::operations::{ColumnChange, Operations};
    use crate::schema::{Schema, Table};

    #[test]
    fn a_fill_for_json_uses_no_function_that_is_missing() {
        let change = ColumnChange::new().ty(Type::Json).fill("'null'");
        let operations = Operations::record(|op| op.alter_column("t", "a", change));
        let table = Table::new("t")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("a", Type::String(9)))
            .primary_key("pk_t", ["id"]);
        let facts = |has_json| Facts::new(3_037_002, has_json);
        let tasks = |has_json| {
            let mut schema = Schema::from_tables([table.clone()]);
            let plan = Sqlite.plan(&operations, &mut schema, &facts(has_json)).unwrap();
            format!("{:?}", plan.tasks)
        };
        let (with, without) = (tasks(true), tasks(false));
        assert!(with.contains("json_valid") && !with.contains("no JSON functions"), "{with}");
        assert!(!without.contains("json_valid"), "{without}");
        assert!(without.contains("this SQLite has no JSON functions"), "{without}");
    }

    #[test]
    fn without_json_functions_nothing_is_taken_for_json() {
        let (text, json) = (Column::new("a", Type::Text), Column::new("a", Type::Json));
        let stored = |column| Stored { declared: "TEXT", column };
        let guard = |has_json| {
            let server = Server { version: 3_037_002, has_json };
            check("t", "a", &Conversion { was: stored(&text), to: stored(&json), server }).unwrap()
        };
        assert!(guard(true).sql.contains("json_valid"));
        let refused = guard(false);
        assert_eq!(
            refused.sql,
            "SELECT n FROM (SELECT count(*) AS n FROM \"t\" WHERE \"a\" IS NOT NULL) WHERE n > 0"
        );
        assert_eq!(
            refused.failure,
            "cannot check whether {} of the values in column `a` of table `t` are JSON: this \
             SQLite has no JSON functions"
        );
        let server = Server { version: 3_037_002, has_json: false };
        let given = check_given(("t", "dbmigrate_new_t"), &stored(&json), "b", server).unwrap();
        assert_eq!(given.failure, refused.failure);
        assert!(check_given(("t", "new"), &stored(&json), "'null'", server).is_none());
    }

    #[test]
    fn the_affinity_is_by_the_words_in_the_order_of_the_manual() {
        for (declared, expect) in [
            ("INTEGER", Affinity::Integer),
            ("POINT", Affinity::Integer),
            ("VARCHAR(20)", Affinity::Text),
            ("BLOB SUB_TYPE TEXT", Affinity::Text),
            ("", Affinity::Blob),
            ("DOUBLE PRECISION", Affinity::Real),
            ("DATETIME", Affinity::Numeric),
        ] {
            assert_eq!(affinity(declared), expect, "{declared}");
        }
    }

    #[test]
    fn the_same_affinity_keeps_values() {
        let keeps = |from: Type, to: &str| keeps_values(&from, &Type::raw(to));
        assert!(keeps(Type::raw("CHAR(36)"), "VARCHAR(10)"));
        assert!(keeps(Type::Text, "NVARCHAR(20)"));
        assert!(keeps(Type::Integer, "BIGINT"));
        assert!(keeps(Type::Date, ""));
        assert!(!keeps(Type::Text, "INTEGER"));
        assert!(!keeps(Type::raw("INTEGER"), "TEXT"));
        assert!(!keeps_values(&Type::raw("TEXT"), &Type::Text));
        assert!(!keeps(Type::array(Type::Text), "TEXT"));
    }
}
