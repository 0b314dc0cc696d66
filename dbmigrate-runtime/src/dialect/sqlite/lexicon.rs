//! The lexical rules of SQLite, and the effects of statements that only SQLite has.

use crate::sql::{Lexicon, RULES, Statements, Token};

/// SQLite's rules are also the ones that apply if the database isn't known.
pub(super) const LEXICON: &Lexicon = &Lexicon {
    statements: Statements {
        of_rows: &["INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"],
        of_objects: &["CREATE", "DROP", "ALTER", "PRAGMA", "ATTACH", "DETACH"],
    },
    ..RULES
};

/// Whether one of the statements changes the journal mode. SQLite silently ignores such a statement
/// in a transaction that hasn't written anything yet.
pub(super) fn sets_journal_mode(text: &str) -> bool {
    let tokens = LEXICON.significant(text);
    let is_first = |at: usize| at == 0 || tokens[at - 1].is_symbol(";");
    let sets = |at: usize| {
        // The name of a database may come first.
        let has_database = tokens.get(at + 2).is_some_and(|token| token.is_symbol("."));
        let name_at = if has_database { at + 3 } else { at + 1 };
        let name = tokens.get(name_at);
        let value = tokens.get(name_at + 1);
        name.is_some_and(|name| name.is_name("journal_mode"))
            && value.is_some_and(|token| token.is_symbol("=") || token.is_symbol("("))
    };
    (0..tokens.len()).any(|at| is_first(at) && tokens[at].is_word("pragma") && sets(at))
}

/// The columns in a trigger's `UPDATE OF`.
pub(super) fn columns_of_update(trigger: &str) -> Vec<String> {
    let tokens = LEXICON.significant(trigger);
    // The trigger's body may contain any words, so only the part before it is searched.
    let body = tokens.iter().position(|token| token.is_word("begin")).unwrap_or(tokens.len());
    let head = &tokens[..body];
    let of = head.windows(2).position(|pair| pair[0].is_word("update") && pair[1].is_word("of"));
    let Some(of) = of else { return Vec::new() };
    let columns = head[of + 2..].iter().take_while(|token| !token.is_word("on"));
    columns.filter_map(Token::identifier).map(|name| name.into_owned()).collect()
}
