//! Spans and events of the crate `tracing`, behind the feature of that name; without it, nothing.
//!
//! There is a span for a run, in it one for each revision, and in that one for each statement and
//! step. They tell which SQL runs without its literals, since these may be anybody's data: no value,
//! no parameter and no password is in a span or an event.

use crate::direction::Direction;
use crate::driver::{HOLDS_A_LOCK, Waiting};
use crate::revision::Revision;
use crate::sql::{Kind, Lexicon};

/// A span that has been entered, and is left when this is dropped.
#[must_use]
pub struct Span {
    #[cfg(feature = "tracing")]
    _entered: tracing::span::EnteredSpan,
}

/// Declares functions that do something only with the feature.
macro_rules! traced {
    ($($(#[$attribute:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => {
        $($(#[$attribute])*
        #[cfg_attr(not(feature = "tracing"), allow(unused_variables, reason = "nothing is told"))]
        pub fn $name($($arg: $ty),*) {
            #[cfg(feature = "tracing")]
            $body
        })*
    };
}

/// Declares functions that enter a span.
macro_rules! spans {
    ($($(#[$attribute:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => {
        $($(#[$attribute])*
        #[cfg_attr(not(feature = "tracing"), allow(unused_variables, reason = "nothing is told"))]
        pub fn $name($($arg: $ty),*) -> Span {
            Span {
                #[cfg(feature = "tracing")]
                _entered: $body.entered(),
            }
        })*
    };
}

spans! {
    /// A run in this direction, of so many revisions.
    fn run(direction: Direction, n_revisions: usize, backend: &str) {
        tracing::info_span!(
            target: "dbmigrate", "run", direction = direction.name(), revisions = n_revisions, backend
        )
    }

    /// A revision.
    fn revision(direction: Direction, revision: &Revision) {
        tracing::info_span!(
            target: "dbmigrate",
            "revision",
            direction = direction.name(),
            id = %revision.id,
            message = %revision.message,
        )
    }

    /// A statement, the number of it in its revision, and what it is for.
    fn statement(sql: &str, lexicon: &'static Lexicon) {
        tracing::debug_span!(target: "dbmigrate", "statement", sql = %without_values(sql, lexicon))
    }

    /// A step.
    fn step(name: &str) {
        tracing::info_span!(target: "dbmigrate", "step", name)
    }
}

traced! {
    /// A piece of a step is committed.
    fn piece_done(number: u64) {
        tracing::debug!(target: "dbmigrate", number, "piece done");
    }

    /// A revision is done, and will be committed.
    fn revision_done(milliseconds: u128) {
        tracing::info!(target: "dbmigrate", milliseconds = milliseconds as u64, "revision done");
    }

    /// A run is over: so many revisions were run, or it failed. Why it failed is the program's to
    /// tell, since messages of databases contain values.
    fn run_done(n_revisions: Option<usize>) {
        match n_revisions {
            Some(n) => tracing::info!(target: "dbmigrate", revisions = n, "run done"),
            None => tracing::error!(target: "dbmigrate", "run failed"),
        }
    }

    /// The run waits for others.
    fn waiting(waiting: &Waiting) {
        // The holder's statement may contain values.
        let holder = waiting.holder.as_deref().unwrap_or_default();
        let holder = without_statement(holder);
        let at_most = waiting.at_most.as_secs_f64();
        tracing::warn!(target: "dbmigrate", at_most, holder, "waiting for the lock");
    }

    /// A program waits until others have applied these revisions.
    fn waits_for_others(pending: &[String]) {
        let pending = pending.join(", ");
        tracing::info!(target: "dbmigrate", pending, "waiting until others have migrated");
    }
}

/// Who holds a lock, without the statement, which may contain values.
#[cfg_attr(not(any(feature = "tracing", test)), allow(dead_code, reason = "nothing is told"))]
fn without_statement(holder: &str) -> &str {
    holder.split_inclusive(HOLDS_A_LOCK).next().unwrap_or_default()
}

/// The SQL in one line, with `?` for each literal.
#[cfg_attr(not(any(feature = "tracing", test)), allow(dead_code, reason = "nothing is told"))]
fn without_values(sql: &str, lexicon: &'static Lexicon) -> String {
    let mut text = String::new();
    for token in lexicon.tokens(sql) {
        match token.kind {
            Kind::Space | Kind::Comment if text.ends_with(' ') => {}
            Kind::Space | Kind::Comment => text.push(' '),
            Kind::Text | Kind::Blob | Kind::Number => text.push('?'),
            Kind::Word | Kind::Quoted | Kind::Param | Kind::Variable | Kind::Symbol => {
                text += token.text;
            }
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::NEUTRAL;

    #[test]
    fn no_statement_of_others_is_told() {
        for doing in
            ["", ", which runs `SELECT 'secret'`", ", whose last statement is `SELECT 'secret'`"]
        {
            let holder = format!("process 7 (`app`){HOLDS_A_LOCK}{doing}");
            assert_eq!(without_statement(&holder), "process 7 (`app`) of the server holds a lock");
        }
    }

    #[test]
    fn no_literal_is_told() {
        let sql = "INSERT INTO \"user\" (name, age, key)  -- of Ann\nVALUES ('Ann', 42, x'00ff')";
        assert_eq!(
            without_values(sql, &NEUTRAL),
            "INSERT INTO \"user\" (name, age, key) VALUES (?, ?, ?)"
        );
        assert_eq!(without_values("SELECT 'it''s secret', -1.5e3", &NEUTRAL), "SELECT ?, -?");
    }
}
