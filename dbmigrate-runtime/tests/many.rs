//! Many SQLite files of one history, upgraded by a program.
#![cfg(feature = "sqlite")]

mod modules;

use std::fs;
use std::num::NonZeroUsize;
use std::panic::catch_unwind;

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module, Options, Upgraded};
use expect_test::expect;
use modules::module;

static HISTORY: &[Module] = &[
    module(
        "a1",
        &[],
        |op| op.create_table(Table::new("item").column(Column::new("id", Type::Integer))),
        |op| op.drop_table("item"),
    ),
    module(
        "b2",
        &["a1"],
        |op| {
            op.run("fill", |db| {
                db.execute("INSERT INTO item (id) VALUES (1)", ())?;
                Ok(())
            });
        },
        |_| {},
    ),
];

/// An empty directory for one test.
fn directory(name: &str) -> String {
    let dir = std::env::temp_dir().join(format!("dbmigrate-many-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir.to_str().unwrap().to_owned()
}

fn shown(results: &[Upgraded], dir: &str) -> String {
    let line = |one: &Upgraded| {
        let result = match &one.result {
            Ok(applied) => applied.join(" "),
            Err(err) => err.report(),
        };
        format!("{}: {result}\n", one.database).replace(dir, "...")
    };
    results.iter().map(line).collect()
}

#[test]
fn each_database_has_a_result_of_its_own_in_the_order_of_the_urls() {
    let dir = directory("results");
    let file = |name: &str| format!("sqlite:{dir}/{name}.db");
    fs::create_dir(format!("{dir}/cay.db")).unwrap();
    let migrator = Migrator::new(HISTORY);
    Migrator::new(&HISTORY[..1]).upgrade(file("dee")).unwrap();
    migrator.upgrade(file("eve")).unwrap();
    let urls = ["ada", "bob", "cay", "dee", "eve"].map(file);
    for jobs in [1, 3, 100] {
        let options = Options { jobs: NonZeroUsize::new(jobs), ..Options::default() };
        let results = migrator.upgrade_all(&urls, &options).unwrap();
        if jobs == 1 {
            expect![[r#"
                .../ada.db: a1 b2
                .../bob.db: a1 b2
                .../cay.db: failed to open the database
                  caused by: unable to open database file: .../cay.db
                  hint: check the permissions of the database file and of its directory
                .../dee.db: b2
                .../eve.db: 
            "#]]
            .assert_eq(&shown(&results, &dir));
            continue;
        }
        let empty = results.iter().filter(|one| one.result.as_ref().is_ok_and(Vec::is_empty));
        assert_eq!(empty.count(), 4);
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_is_wrong_for_all_is_known_before_anything_runs() {
    let dir = directory("wrong");
    let good = format!("sqlite:{dir}/good.db");
    let migrator = Migrator::new(HISTORY);
    let options = Options::default();
    let urls = [good.as_str(), "oracle://app:s3cret@host/db"];
    let err = migrator.upgrade_all(urls, &options).unwrap_err().report();
    assert!(err.contains("`oracle:` databases are not supported"), "{err}");
    let err = Migrator::new(&HISTORY[1..]).upgrade_all([&good], &options).unwrap_err().report();
    assert!(err.contains("a1"), "{err}");
    let err = migrator.upgrade_schemas(&good, |_| true, &options).unwrap_err().report();
    expect![[r#"
        the database `.../good.db` has no schemas
          hint: `upgrade_schemas` is for PostgreSQL; `upgrade_all` upgrades several databases"#]]
    .assert_eq(&err.replace(&dir, "..."));
    assert_eq!(migrator.upgrade_all([""; 0], &options).unwrap().len(), 0);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_panic_of_a_step_is_the_caller_s_and_the_others_are_done() {
    static PANICS: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.create_table(Table::new("item").column(Column::new("id", Type::Integer)));
            op.run("panics", |db| {
                let found = db.query("SELECT name FROM sqlite_schema WHERE name = 'bad'", ())?;
                assert!(found.is_empty(), "not ready");
                Ok(())
            });
        },
        |_| {},
    )];
    let dir = directory("panics");
    let urls = ["ada", "bob", "cay"].map(|name| format!("sqlite:{dir}/{name}.db"));
    let bad = rusqlite::Connection::open(format!("{dir}/bob.db")).unwrap();
    bad.execute_batch("CREATE TABLE bad (id)").unwrap();
    let options = Options { jobs: NonZeroUsize::new(2), ..Options::default() };
    let all = || Migrator::new(PANICS).upgrade_all(&urls, &options).map(drop);
    let panic = catch_unwind(std::panic::AssertUnwindSafe(all)).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"not ready"));
    for (url, is_done) in urls.iter().zip([true, false, true]) {
        assert_eq!(Migrator::new(PANICS).is_up_to_date(url).unwrap(), is_done, "{url}");
    }
    fs::remove_dir_all(dir).unwrap();
}
