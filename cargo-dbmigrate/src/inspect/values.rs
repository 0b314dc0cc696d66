//! The values that checks list, as `status IN ('a', 'b')` does.

use dbmigrate_runtime::engine::dialect::Comparing;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::sql::{Kind, Token};
use dbmigrate_runtime::schema::{Check, Column, Table};

/// Whether a check is the one with which an enumeration of this column would be built: as far as
/// names tell, and only the database itself knows whether its condition is the same.
pub(super) fn is_of_enumeration(
    table: &Table,
    column: &Column,
    check: &Check,
    comparing: &Comparing,
) -> bool {
    // A name that no model could give to it.
    if check.name.is_empty() {
        return !comparing.names_checks;
    }
    let convention = Convention::default();
    let own = if comparing.names_checks {
        convention.check(table.bare_name(), &format!("{}_values", column.name))
    } else {
        convention.check(table.bare_name(), &column.name)
    };
    comparing.folding.same(&check.name, &own)
}

/// A condition as `status IN ('a', 'b')`, where PostgreSQL says it with an array. Whether it means
/// the same is for the database to say.
pub(super) fn listed(expression: &str, comparing: &Comparing) -> Option<String> {
    let tokens = comparing.lexicon.significant(expression);
    let array = tokens.iter().position(|token| token.is_word("ARRAY"))?;
    let (before, after) = tokens.split_at(array);
    let column = before.iter().find(|token| token.identifier().is_some())?;
    let word = match before.iter().rev().find(|token| token.kind == Kind::Word)? {
        any if any.is_word("ANY") => "IN",
        all if all.is_word("ALL") => "NOT IN",
        _ => return None,
    };
    let is_value = |token: &&Token<'_>| matches!(token.kind, Kind::Text | Kind::Number);
    let values: Vec<&str> = after.iter().filter(is_value).map(|token| token.text).collect();
    Some(format!("{} {word} ({})", column.text, values.join(", ")))
}

/// The values that a check lists for a column, as `status IN ('a', 'b')` does.
pub(super) fn values(check: &Check, column: &Column, comparing: &Comparing) -> Option<Vec<String>> {
    let tokens = comparing.lexicon.significant(&check.expression);
    let names_column = |token: &Token<'_>| {
        token.identifier().is_some_and(|name| comparing.folding.same(&name, &column.name))
    };
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
    let values: Vec<String> =
        texts.filter_map(|token| token.unquoted()).map(String::from).collect();
    // A variant has no empty name.
    let is_listed = !values.is_empty() && values.iter().all(|value| !value.is_empty());
    (is_listed && tokens.iter().any(names_column)).then_some(values)
}

/// The values if the check says nothing but that the column is one of them.
pub(super) fn only_values(
    check: &Check,
    column: &Column,
    comparing: &Comparing,
) -> Option<Vec<String>> {
    let tokens = comparing.lexicon.significant(&check.expression);
    let mut tokens = tokens.as_slice();
    while let [open, inside @ .., close] = tokens {
        if !open.is_symbol("(") || !close.is_symbol(")") {
            break;
        }
        tokens = inside;
    }
    let [name, word, open, list @ .., close] = tokens else { return None };
    let is_column =
        name.identifier().is_some_and(|name| comparing.folding.same(&name, &column.name));
    if !is_column || !word.is_word("IN") || !open.is_symbol("(") || !close.is_symbol(")") {
        return None;
    }
    let mut values = Vec::new();
    for item in list.split(|token| token.is_symbol(",")) {
        let text = match item {
            [text] => text,
            // The character set of a text, which MySQL writes before it.
            [set, text] if set.kind == Kind::Word && set.text.starts_with('_') => text,
            _ => return None,
        };
        let value = text.unquoted().filter(|_| text.kind == Kind::Text)?.to_string();
        // A variant has no empty name, and a name of its own.
        if value.is_empty() || values.contains(&value) {
            return None;
        }
        values.push(value);
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::{Backend, dialect};
    use dbmigrate_runtime::schema::Type;

    use super::*;

    #[test]
    fn a_check_lists_values_only_if_it_says_nothing_else() {
        let column = Column::new("state", Type::Text);
        let found = |backend: Backend, expression: &str| -> String {
            let dialect = dialect::of(backend).unwrap();
            let comparing = dialect.comparing(&dialect.offline_facts());
            let check = Check::new("known", expression);
            only_values(&check, &column, &comparing).unwrap_or_default().join(" ")
        };
        for backend in [Backend::Postgres, Backend::Mysql, Backend::Mariadb] {
            let found = |expression: &str| found(backend, expression);
            assert_eq!(found("state IN ('new', 'it''s')"), "new it's");
            assert_eq!(found("((State in ('new')))"), "new");
            for other in [
                "other IN ('new', 'done')",
                "state NOT IN ('new', 'done')",
                "lower(state) IN ('new', 'done')",
                "state IN ('new', 'done') OR other = 'x'",
                "(state IN ('new')) IS NOT FALSE",
                "state IN ('new', other)",
                "state IN ('new', 1)",
                "state IN ('new', '')",
                "state IN ('new', 'new')",
                "state = 'new'",
            ] {
                assert_eq!(found(other), "", "{other}");
            }
        }
        let text = r"(`state` in (_utf8mb4'new',_utf8mb4'x\\y'))";
        assert_eq!(found(Backend::Mysql, text), r"new x\y");
    }
}
