//! What a program's subscriber to `tracing` gets to know about a run.
#![cfg(all(feature = "sqlite", feature = "tracing"))]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::rusqlite::Connection;
use dbmigrate_runtime::{Migrator, Module, Options};
use expect_test::expect;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down what it is told.
#[derive(Default)]
struct Notes {
    text: Arc<Mutex<String>>,
    n_spans: AtomicU64,
    depth: AtomicU64,
}

impl Notes {
    fn note(&self, what: &str, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(String::new());
        record(&mut fields);
        let indent = "  ".repeat(self.depth.load(Relaxed) as usize);
        *self.text.lock().unwrap() += &format!("{indent}{what}{}\n", fields.0);
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if ["milliseconds", "at_most"].contains(&field.name()) {
            return;
        }
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "dbmigrate"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata().name(), |fields| span.record(fields));
        Id::from_u64(self.n_spans.fetch_add(1, Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note("*", |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {
        self.depth.fetch_add(1, Relaxed);
    }

    fn exit(&self, _: &Id) {
        self.depth.fetch_sub(1, Relaxed);
    }
}

const MODULE: Module = Module {
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "first",
    name: "a1",
    upgrade: |op| {
        op.create_table(Table::new("t").column(Column::new("a", Type::Text)));
        op.execute("INSERT INTO t VALUES ('a secret')");
        op.run("more", |db| {
            db.execute("INSERT INTO t VALUES (?1)", ("another secret",))?;
            Ok(())
        });
    },
    downgrade: |op| {
        op.execute("SELECT no_such_column, 'a secret'");
    },
};

#[test]
fn a_run_a_revision_and_a_statement_are_spans_without_values() {
    let notes = Notes::default();
    let text = notes.text.clone();
    tracing::subscriber::with_default(notes, || {
        let migrator = Migrator::new(&[MODULE]);
        let mut conn = Connection::open_in_memory().unwrap();
        migrator.upgrade(&mut conn).unwrap();
        migrator.downgrade(&mut conn, "base").unwrap_err();
    });
    let text = text.lock().unwrap();
    assert!(!text.contains("secret"), "{text}");
    expect![[r#"
        run direction="upgrade" revisions=1 backend="sqlite"
          revision direction="upgrade" id=a1 message=first
            statement sql=CREATE TABLE "t" ( "a" TEXT )
            statement sql=INSERT INTO t VALUES (?)
            step name="more"
            * message=revision done
          * message=run done revisions=1
        run direction="downgrade" revisions=1 backend="sqlite"
          revision direction="downgrade" id=a1 message=first
            statement sql=SELECT no_such_column, ?
          * message=run failed
    "#]]
    .assert_eq(&text);
}

/// A lock that others hold, and a program that starts before the database is migrated.
#[test]
fn waiting_is_an_event() {
    let path = std::env::temp_dir().join(format!("dbmigrate-traced-{}.db", std::process::id()));
    let url = format!("sqlite:{}", path.display());
    let migrator = Migrator::new(&[MODULE]);
    let notes = Notes::default();
    let text = notes.text.clone();
    tracing::subscriber::with_default(notes, || {
        let wait = Duration::from_millis(1);
        migrator.wait_until_up_to_date(&url, wait).unwrap_err();
        let holder = Connection::open(&path).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        let options = Options { lock_timeout: Duration::from_millis(500), ..Options::default() };
        migrator.upgrade_with(&url, "head", &options).unwrap_err();
    });
    std::fs::remove_file(&path).unwrap();
    expect![[r#"
        * message=waiting until others have migrated pending="a1"
        run direction="upgrade" revisions=1 backend="sqlite"
          * message=waiting for the lock holder=""
          * message=run failed
    "#]]
    .assert_eq(&text.lock().unwrap());
}
