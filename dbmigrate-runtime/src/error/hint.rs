//! Hints for failures, chosen by the kind of the database's error.

use std::borrow::Cow;

use crate::dialect::{Statement, StatementKind};
use crate::driver::{DatabaseError, ErrorKind, Unwritable};

/// What to do about a failure that no single statement caused.
pub(super) fn hint_of(source: &DatabaseError) -> Option<Cow<'static, str>> {
    if let ErrorKind::Denied { grant } = source.kind() {
        return Some(hint_of_denied(grant.as_deref()));
    }
    let hint = match source {
        database_error if database_error.is_read_only() || database_error.is_unopenable() => {
            Some("check the permissions of the database file and of its directory")
        }
        database_error if database_error.is_not_a_database() => {
            Some("the file is not an SQLite database, or it is encrypted")
        }
        database_error if database_error.is_full() => {
            Some("free space on the disk that holds the database, and run the command again")
        }
        database_error if database_error.is_io() => {
            Some("check the disk that holds the database, and run the command again")
        }
        database_error if *database_error.kind() == ErrorKind::Pooled => Some(
            "the pending revision runs outside a transaction: run it with the URL of the server \
             itself instead of the pooler's, for example with `--url`",
        ),
        database_error => match database_error.kind() {
            ErrorKind::Unlockable => Some(
                "the pending revision runs outside a transaction: run it with a URL instead of a \
                 connection",
            ),
            ErrorKind::LeaseLost => Some(
                "run the command again: it waits for the other process, and continues after what \
                 is done",
            ),
            ErrorKind::Unwritable(why) => Some(hint_of_unwritable(*why)),
            _ => None,
        },
    };
    hint.map(Cow::Borrowed)
}

const DENIED: &str = "have the owner grant the right to this role, or run it as the owner, for \
                      example with `--url`";

fn hint_of_denied(grant: Option<&str>) -> Cow<'static, str> {
    match grant {
        Some(grant) => Cow::Owned(format!(
            "let an administrator run `{grant}`, or run it as another user, for example with \
             `--url`"
        )),
        None => Cow::Borrowed(DENIED),
    }
}

fn hint_of_unwritable(why: Unwritable) -> &'static str {
    match why {
        Unwritable::Standby => {
            "run it with the URL of the primary server; of several hosts in a URL, \
             `target_session_attrs=read-write` selects it"
        }
        Unwritable::Setting => {
            "if that is right only for others, run it with \
             `options=-c default_transaction_read_only=off` in the URL"
        }
        Unwritable::Transaction => {
            "the revision, or the server, has made the transaction read-only"
        }
        Unwritable::Session => {
            "the session's setting makes all its transactions read-only: if the program made it, let \
             it run `SET SESSION TRANSACTION READ WRITE` first; if the server did, let an \
             administrator run `SET GLOBAL TRANSACTION READ WRITE`"
        }
        Unwritable::Server => {
            "run it with the URL of the server that takes the writes, for example with `--url`; if \
             this is the one, let an administrator run `SET GLOBAL read_only = 0`"
        }
    }
}

/// A crash of MariaDB while it copies a table can leave pages whose rows it reads, and which it
/// refuses to change in place. (Seen on 10.11 and 11.8; `CHECK TABLE` finds no fault in them.)
fn hint_of_damaged(table: &str) -> String {
    format!(
        "a crash of the server can leave a table like this: if `SELECT COUNT(*)` finds all its \
         rows, `ALTER TABLE {table} FORCE` writes them to new pages; then run the command again"
    )
}

/// A table can have traces that its definition doesn't show: a hidden column of a full-text index
/// that is gone, or as many versions of its rows as the server takes. Writing it again removes them.
fn hint_of_slower(sql: &str) -> String {
    let table = sql.strip_prefix("ALTER TABLE ").and_then(|rest| {
        let end = rest.find(|sign: char| sign.is_whitespace())?;
        Some(&rest[..end]).filter(|name| name.len() > 1 && name.ends_with('`'))
    });
    let table = table.unwrap_or("...");
    format!(
        "the server can't change this table as cheaply as planned: run `ALTER TABLE {table} FORCE` \
         when the table may be busy for a while, which writes it again without what is in the way, \
         and then this command again"
    )
}

/// What to do about a failed statement, given the kind of its error.
pub(super) fn hint_of_statement(statement: &Statement, kind: &ErrorKind) -> Option<String> {
    let sql = &statement.sql;
    let is_rebuild = statement.kind == StatementKind::Rebuild;
    let begins = |words: &[&str]| words.iter().any(|word| sql.starts_with(word));
    if matches!(kind, ErrorKind::Unregistered { .. }) {
        return Some(UNREGISTERED.to_owned());
    }
    if begins(&["CREATE UNIQUE INDEX CONCURRENTLY"]) && matches!(kind, ErrorKind::Row(_)) {
        return Some(
            "correct the rows, and run the command again: it first drops the invalid index that \
             is left, which until then refuses new rows with such values"
                .to_owned(),
        );
    }
    let is_change = is_rebuild || begins(&["ALTER TABLE", "CREATE UNIQUE INDEX"]);
    if is_change && matches!(kind, ErrorKind::Row(_)) {
        return Some(format!(
            "existing rows conflict with this change ({}): correct them first, in a step of the \
             revision",
            statement.reason
        ));
    }
    match kind {
        ErrorKind::Denied { grant } => {
            return Some(hint_of_denied(grant.as_deref()).into_owned());
        }
        ErrorKind::Unwritable(why) => return Some(hint_of_unwritable(*why).to_owned()),
        ErrorKind::Damaged { table } => return Some(hint_of_damaged(table)),
        ErrorKind::Slower => return Some(hint_of_slower(sql)),
        _ => {}
    }
    if *kind == ErrorKind::Needed {
        return Some(
            "drop or replace them in the revision with `op.execute`, before the change that breaks \
             them"
            .to_owned(),
        );
    }
    if *kind == ErrorKind::BrokenDependent {
        return Some(
            "SQLite checks all views and triggers for this change: repair or drop the one that it \
             names"
                .to_owned(),
        );
    }
    if statement.kind != StatementKind::Raw
        && matches!(kind, ErrorKind::Missing { .. } | ErrorKind::DuplicateColumn)
        && !begins(&["CREATE"])
    {
        return Some(
            "if the revision's own SQL expressions are right, the database differs from what the \
             migrations build: `cargo dbmigrate check` lists the differences"
                .to_owned(),
        );
    }
    let again = ["CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE TRIGGER", "CREATE TEMP"];
    if is_rebuild && again.iter().any(|text| sql.to_ascii_uppercase().starts_with(text)) {
        return Some(
            "it existed before and no longer fits the table: drop it with `op.execute(\"DROP \
             ...\")` before the change"
                .to_owned(),
        );
    }
    None
}

pub(super) const UNREGISTERED: &str = "if the application registers it on its own connections, run \
                                       the migrations on one of them: \
                                       `migrations::migrator().upgrade(&mut conn)`";

pub(super) const CONTINUED: &str = "the statements before this one have been applied: correct the \
                                    cause and run the command again; it continues after them; \
                                    with `--restart`, it takes them back first";

pub(super) const ALONE: &str = "a revision runs in a transaction: move this statement to a \
                                revision of its own with `op.no_transaction()`";
