//! After a run on a real SQLite database, its result is compared with its operations.
#![cfg(feature = "sqlite")]

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{self, DatabaseError, Driver, Rows, Scope, Wait};
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Error, Options};
use expect_test::{Expect, expect};
use rusqlite::Connection;

/// A real SQLite driver that runs other statements than it is told to.
struct Faulty<'a> {
    inner: SqliteDriver<'a>,
    /// Changes a statement.
    fault: &'a dyn Fn(&str) -> String,
}

impl driver::Connection for Faulty<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.dialect()
    }
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.inner.execute(sql, params)
    }
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        self.inner.query(sql, params)
    }
    fn in_transaction(&self) -> bool {
        self.inner.in_transaction()
    }
}

impl Driver for Faulty<'_> {
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.inner.batch(&(self.fault)(sql))
    }
    fn prepare(&mut self, history: &str) -> Result<(), DatabaseError> {
        self.inner.prepare(history)
    }
    fn restore(&mut self) -> Result<(), DatabaseError> {
        self.inner.restore()
    }
    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        self.inner.begin(scope, wait)
    }
    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.inner.commit()
    }
    fn rollback(&mut self) {
        self.inner.rollback();
    }
    fn release(&mut self) {
        self.inner.release();
    }
}

fn migration(nth: usize, f: impl FnOnce(&mut Operations)) -> Migration {
    let mut op = Operations::new();
    f(&mut op);
    let parents = if nth == 1 { Vec::new() } else { vec![format!("r{}", nth - 1)] };
    let revision = Revision { id: format!("r{nth}"), parents, ..Revision::default() };
    Migration::new(revision, op.finish(), Recording::default())
}

fn run(
    conn: &mut Connection,
    migrations: Vec<Migration>,
    fault: &dyn Fn(&str) -> String,
) -> Result<Vec<String>, Error> {
    let migrations = &Migrations::new(migrations).unwrap();
    let mut driver = Faulty { inner: SqliteDriver::lent(conn), fault };
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    Executor { driver: &mut driver, migrations, options, observer, steps }
        .run(Direction::Upgrade, "head")
}

/// Two tables, with one of everything that a table can have.
fn first(op: &mut Operations) {
    op.create_table(
        Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(50)).not_null().default("?"))
            .column(Column::new("age", Type::Integer))
            .column(Column::new("half", Type::Integer).generated_virtual("age / 2"))
            .column(Column::new("kind", Type::enumeration("kind", ["a", "b"])))
            .primary_key("pk_user", ["id"])
            .unique("uq_user_name", ["name"])
            .check("ck_user_age", "user.age >= 0 AND age < 200"),
    );
    op.create_index("user", Index::new("ix_user_age", ["age"]).filter("age IS NOT NULL"));
    let lower = IndexColumn::expression("lower(name)");
    op.create_index("user", Index::new("ix_user_lower", ["kind"]).column(lower.desc()));
    op.create_table(
        Table::new("post")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("author_id", Type::BigInteger))
            .primary_key("pk_post", ["id"])
            .foreign_key(ForeignKey::new("fk_post_author", ["author_id"], "user", ["id"])),
    );
}

/// A database with these tables, two rows, and what others' SQL did to it afterwards.
fn database(others: &str) -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    run(&mut conn, vec![migration(1, first)], &str::to_owned).unwrap();
    conn.execute_batch("INSERT INTO user (id, name, age) VALUES (1, 'ada', 36), (2, 'bob', NULL)")
        .unwrap();
    conn.execute_batch(others).unwrap();
    conn
}

/// The rest of the database as text.
fn dump(conn: &Connection) -> Vec<String> {
    let rows = |sql: &str| -> Vec<String> {
        let mut stmt = conn.prepare(sql).unwrap();
        let rows = stmt.query_map([], |row| Ok(format!("{:?}", row.get_ref(0)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let texts = "SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY 1";
    let versions = "SELECT id FROM dbmigrate_version";
    [rows(texts), rows(versions)].concat()
}

/// Upgrades such a database, and returns what is reported.
#[track_caller]
fn check(
    others: &str,
    fault: &dyn Fn(&str) -> String,
    second: impl FnOnce(&mut Operations),
    expect: Expect,
) {
    let mut conn = database(others);
    let before = dump(&conn);
    let migrations = vec![migration(1, first), migration(2, second)];
    let text = match run(&mut conn, migrations, fault) {
        Ok(_) => String::new(),
        Err(err) => {
            assert_eq!(dump(&conn), before, "it is rolled back");
            format!("{}\n", err.report())
        }
    };
    expect.assert_eq(&text);
}

/// Skips the statements that contain this text.
fn without(what: &str) -> impl Fn(&str) -> String + '_ {
    move |sql| if sql.contains(what) { String::new() } else { sql.to_owned() }
}

fn alter(op: &mut Operations) {
    op.add_column("user", Column::new("note", Type::Text));
    op.alter_column("user", "age", ColumnChange::new().not_null().using("coalesce(age, 0)"));
    op.add_unique("user", Unique::new("uq_user_age_name", ["age", "name"]));
}

fn add_note(op: &mut Operations) {
    op.add_column("user", Column::new("note", Type::Text));
}

#[test]
fn statements_that_did_not_do_their_work_are_found() {
    check("", &str::to_owned, alter, expect![""]);
    check(
        "",
        &without("ADD COLUMN"),
        add_note,
        expect![[r#"
        the run was rolled back: the resulting schema does not match the revisions:
          column `user.note` is missing from the database
          hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
    "#]],
    );
    check(
        "",
        &without("CREATE INDEX \"ix_user_age\""),
        alter,
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              index `ix_user_age` of table `user` is missing from the database
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
    let fault = |sql: &str| sql.replace("age < 200", "age < 20000");
    check(
        "",
        &fault,
        alter,
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              check `ck_user_age` of table `user` is `age >= 0 AND age < 20000`, but `age >= 0 AND age < 200` in the migrations
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
    check(
        "",
        &without("DROP TABLE"),
        |op| {
            op.drop_table("post");
            op.create_table(Table::new("log").column(Column::new("text", Type::Text)));
        },
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              table `post` is still in the database
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
}

#[test]
fn what_a_run_does_besides_is_found() {
    let others = "
        CREATE TABLE log (text TEXT);
        CREATE VIEW names AS SELECT text FROM log;
        CREATE TRIGGER user_log AFTER INSERT ON user BEGIN INSERT INTO log VALUES (new.name); END;
    ";
    check(others, &str::to_owned, alter, expect![""]);
    let fault = |sql: &str| {
        if sql.contains("ADD COLUMN") {
            format!("{sql}; DROP TABLE log; CREATE TABLE scratch (a)")
        } else {
            sql.to_owned()
        }
    };
    check(
        "CREATE TABLE log (text TEXT)",
        &fault,
        add_note,
        expect![[r#"
        the run was rolled back: the resulting schema does not match the revisions:
          table `log` is gone
          table `scratch` is new, but no operation creates it
          hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
    "#]],
    );
    check(
        others,
        &without("CREATE TRIGGER"),
        alter,
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              trigger `user_log` is gone
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
    let fault = |sql: &str| sql.replace("AFTER INSERT", "AFTER DELETE").replace("new.", "old.");
    check(
        others,
        &fault,
        alter,
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              trigger `user_log` has changed
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
    let fault = |sql: &str| {
        if sql.contains("ADD COLUMN") {
            format!("{sql}; DROP VIEW names; CREATE VIEW names AS SELECT 1")
        } else {
            sql.to_owned()
        }
    };
    check(
        others,
        &fault,
        add_note,
        expect![[r#"
        the run was rolled back: the resulting schema does not match the revisions:
          view `names` has changed
          hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
    "#]],
    );
    // A trigger is dropped with its table.
    let others = "CREATE TRIGGER none AFTER INSERT ON POST BEGIN SELECT 1; END";
    check(others, &str::to_owned, |op| op.drop_table("post"), expect![[""]]);
    let rename = |op: &mut Operations| {
        op.rename_table("post", "article");
        op.drop_table("article");
    };
    check(others, &str::to_owned, rename, expect![[""]]);
}

/// Changes by others to the tables, in every way that is reported.
const DRIFT: &str = "
    ALTER TABLE user ADD COLUMN extra TEXT CHECK (extra <> name);
    DROP INDEX ix_user_age;
    CREATE INDEX ix_user_lower2 ON user (age, lower(name)) WHERE age > 1;
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'VARCHAR(50)', 'TEXT'), '/ 2', '/ 3'),
        'CONSTRAINT \"uq_user_name\" UNIQUE (\"name\")',
        'UNIQUE (\"name\"), FOREIGN KEY (age, name) REFERENCES post (author_id, id)')
        WHERE name = 'user';
    PRAGMA writable_schema = RESET;
";

#[test]
fn what_was_different_before_is_no_reason_to_roll_back() {
    check(DRIFT, &str::to_owned, add_note, expect![[""]]);
    let rename = |op: &mut Operations| {
        op.rename_column("user", "age", "years");
        op.rename_column("user", "name", "title");
        op.rename_column("post", "author_id", "user_id");
        op.rename_table("user", "account");
        op.rename_table("post", "article");
        op.add_column("account", Column::new("note", Type::Text));
    };
    check(DRIFT, &str::to_owned, rename, expect![""]);
    // But what has changed since then is still a difference.
    check(
        DRIFT,
        &without("ADD COLUMN"),
        rename,
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              column `account.note` is missing from the database
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
    let fault = |sql: &str| sql.replace("\"note\" TEXT", "\"note\" TEXT CHECK (note > 1)");
    check(
        DRIFT,
        &fault,
        rename,
        expect![[r#"
            the run was rolled back: the resulting schema does not match the revisions:
              check `note > 1` of table `account` is not in the migrations
              hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
        "#]],
    );
}

#[test]
fn texts_that_follow_a_rename_are_no_difference() {
    let others = "
        CREATE VIEW names AS SELECT name, user.age FROM user;
        CREATE TABLE other (id REFERENCES user (id), CHECK (id > 0));
        CREATE TRIGGER user_log AFTER INSERT ON user BEGIN DELETE FROM other WHERE id = new.age; END;
    ";
    let rename = |op: &mut Operations| {
        op.rename_column("user", "age", "years");
        op.rename_column("user", "kind", "sort");
        op.rename_table("user", "account");
        op.rename_index("account", "ix_user_age", "ix_account_years");
        op.alter_column("account", "name", ColumnChange::new().ty(Type::Text));
    };
    check(others, &str::to_owned, rename, expect![""]);
}

#[test]
fn what_sql_and_steps_do_is_left_out() {
    let sql = |op: &mut Operations| {
        op.execute("ALTER TABLE user ADD COLUMN extra; CREATE VIEW names AS SELECT * FROM user");
        add_note(op);
    };
    check("", &str::to_owned, sql, expect![[""]]);
    // It is only about that table.
    let both = |op: &mut Operations| {
        op.execute("DROP INDEX ix_user_age; CREATE TABLE log (text)");
        op.add_column("post", Column::new("note", Type::Text));
    };
    check(
        "",
        &without("ADD COLUMN"),
        both,
        expect![[r#"
        the run was rolled back: the resulting schema does not match the revisions:
          column `post.note` is missing from the database
          hint: this is a bug in dbmigrate: please report it with the output of `cargo dbmigrate upgrade --sql`
    "#]],
    );
    let step = |op: &mut Operations| {
        add_note(op);
        op.run("by hand", |db| {
            db.execute("ALTER TABLE user DROP COLUMN note", ())?;
            db.execute("CREATE TABLE log (text)", ())?;
            db.execute("DROP VIEW IF EXISTS names", ())?;
            Ok(())
        });
        op.rename_table("user", "account");
        op.add_column("post", Column::new("note", Type::Text));
    };
    check("CREATE VIEW names AS SELECT 1", &str::to_owned, step, expect![[""]]);
    // A function may do anything, such as SpatiaLite's `AddGeometryColumn`.
    let function = |sql: &str| sql.replace("SELECT f()", "ALTER TABLE user ADD COLUMN shape");
    let calls = |op: &mut Operations| {
        add_note(op);
        op.execute("UPDATE user SET note = ''; SELECT f()");
    };
    check("", &function, calls, expect![[""]]);
    // What it declares about itself isn't enforced either.
    let describes = |op: &mut Operations| {
        op.execute("SELECT 1").describes(|op| op.drop_index("user", "ix_user_age"));
        op.add_column("user", Column::new("note", Type::Text));
    };
    check("", &str::to_owned, describes, expect![[""]]);
}

#[test]
fn views_and_triggers_that_the_run_breaks_are_named() {
    let others = "
        CREATE VIEW ages AS SELECT name, half FROM user;
        CREATE VIEW old AS SELECT * FROM ages WHERE half > 40;
        CREATE TABLE log (text);
        CREATE TRIGGER none INSTEAD OF INSERT ON old BEGIN SELECT half FROM user; END;
        CREATE TRIGGER post_log AFTER UPDATE OF author_id ON post
            BEGIN INSERT INTO log SELECT half FROM user WHERE id = new.author_id; END;
    ";
    let drop = |op: &mut Operations| op.drop_column("user", "half");
    check(
        others,
        &str::to_owned,
        drop,
        expect![[r#"
            the run was rolled back: it broke views or triggers:
              view `ages`: no such column: half
              trigger `none`: no such column: half
              trigger `post_log`: no such column: half
              view `old`: no such column: half
              hint: drop or replace them in the revision with `op.execute`, before the change that breaks them
        "#]],
    );
    // What was broken before is no reason to fail.
    let broken = "
        CREATE VIEW broken AS SELECT nope FROM user;
        CREATE TRIGGER post_broken AFTER DELETE ON post BEGIN DELETE FROM user WHERE nope = 1; END;
    ";
    let alter_post = |op: &mut Operations| {
        alter(op);
        op.alter_column("post", "author_id", ColumnChange::new().default(1));
    };
    check(broken, &str::to_owned, alter_post, expect![""]);
}

/// SQLite renames `age` to `"years"` in these, and takes `"years"` for a text if there is no such
/// column.
#[test]
fn a_name_that_became_a_text_is_broken() {
    let rename = |op: &mut Operations| {
        op.drop_index("user", "ix_user_age");
        op.drop_check("user", "ck_user_age");
        op.drop_column("user", "half");
        op.rename_column("user", "age", "years");
    };
    let drop = |op: &mut Operations| op.drop_column("user", "years");
    let both = "
        CREATE TABLE log (text);
        CREATE TRIGGER user_log AFTER UPDATE ON user BEGIN INSERT INTO log SELECT age FROM user; END;
        CREATE VIEW old AS SELECT id, \"a text\" AS said FROM user WHERE age > 40;
        CREATE VIEW said AS SELECT id, \"a text\" AS said FROM user;
    ";
    let mut text = String::new();
    for others in [both.replace("age > 40", "1"), both.replace("SELECT age", "SELECT 'age'")] {
        let mut conn = database(&others);
        let renamed = || vec![migration(1, first), migration(2, rename)];
        run(&mut conn, renamed(), &str::to_owned).unwrap();
        let before = dump(&conn);
        let all = renamed().into_iter().chain([migration(3, drop)]).collect();
        text += &match run(&mut conn, all, &str::to_owned) {
            Ok(_) => "fine\n".to_owned(),
            Err(err) => {
                assert_eq!(dump(&conn), before, "it is rolled back");
                format!("{}\n", err.report())
            }
        };
        // The connection is the program's: what it accepted as a text before is still accepted.
        conn.prepare("SELECT \"some text\"").unwrap();
    }
    expect![[r#"
        the run was rolled back: it broke views or triggers:
          trigger `user_log`: no such column: years
          hint: drop or replace them in the revision with `op.execute`, before the change that breaks them
        the run was rolled back: it broke views or triggers:
          view `old`: no such column: years
          hint: drop or replace them in the revision with `op.execute`, before the change that breaks them
    "#]].assert_eq(&text);
    // A text that was one before remains one.
    let said = "CREATE VIEW said AS SELECT id, \"a text\" AS said FROM user";
    check(said, &str::to_owned, alter, expect![""]);
}
