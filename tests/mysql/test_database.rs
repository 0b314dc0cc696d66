//! A migrated database for each test.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use dbmigrate_tests::servers::{self, Server, dump_mysql, mysql_client};
use dbmigrate_tests::starting::mysql::Installed;
use dbmigrate_tests::starting::place::Place;

use crate::lent::module;

const MODULES: &[Module] = &[module("m1", &[], items), module("m2", &["m1"], parts)];
const WITH_VIEW: &[Module] = &[module("m1", &[], items), module("m2", &["m1"], view)];

fn items(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(100)).not_null())
            .primary_key("pk_item", ["id"]),
    );
    op.bulk_insert("item", ["id", "name"]).row((0, "zero")).row((2, "it's \\"));
}

fn parts(op: &mut Operations) {
    op.create_table(
        // It comes before what it refers to.
        Table::new("a part")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("item", Type::BigInteger).not_null())
            .column(Column::new("both", Type::BigInteger).generated_stored("item * 2"))
            .primary_key("pk_part", ["id"])
            .foreign_key(ForeignKey::new("fk_part", ["item"], "item", ["id"])),
    );
    op.bulk_insert("a part", ["id", "item"]).row((1, 0)).row((5, 2));
}

fn view(op: &mut Operations) {
    op.execute("CREATE VIEW names AS SELECT name FROM item");
}

/// The databases of a server that were made for tests.
fn made(url: &str) -> BTreeSet<String> {
    let names: Vec<String> =
        mysql_client(url).query("SHOW DATABASES LIKE 'dbmigrate%'").expect("the databases");
    names.into_iter().collect()
}

/// Makes databases in threads.
fn work(url: &str) {
    std::thread::scope(|scope| {
        for nth in 0..3 {
            scope.spawn(move || {
                for _ in 0..2 {
                    let database = Migrator::new(MODULES).test_database(url).expect("a database");
                    let mut conn = mysql_client(database.url());
                    let rows = format!("INSERT INTO `a part` (id, item) VALUES (10 + {nth}, 0)");
                    conn.query_drop(rows).expect("a row");
                    let n: Option<i64> = conn.query_first("SELECT COUNT(*) FROM `a part`").unwrap();
                    assert_eq!(n, Some(3));
                    // An open transaction of a test doesn't keep its database.
                    conn.query_drop("START TRANSACTION").expect("a transaction");
                    conn.query_drop("UPDATE item SET name = 'x'").expect("rows");
                }
            });
        }
    });
}

fn process(variable: &str, url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", "test_database::in_a_process_with_databases"]);
    command.env(variable, url).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn in_a_process_with_databases() {
    if let Ok(url) = std::env::var("MAKES_DATABASES") {
        work(&url);
    }
    if let Ok(url) = std::env::var("LEAVES_DATABASES") {
        let _database = Migrator::new(MODULES).test_database(&url).expect("a database");
        std::process::abort();
    }
}

#[test]
fn tests_in_threads_and_processes_get_databases_of_their_own() {
    for server in servers::mysql("tests_in_threads_and_processes_get_databases_of_their_own") {
        // The templates of other tests are on the one that was started.
        let place = Place::new().expect("a directory");
        let own = Installed::new(&place, &server.name).expect("a name").expect("it is initialized");
        let running = own.run().expect("it runs");
        let url = running.url.replace("/mysql", "/not_there");
        let at = running.url.as_str();

        let mut others: Vec<_> =
            (0..2).map(|_| process("MAKES_DATABASES", &url).spawn().expect("it starts")).collect();
        work(&url);
        others.iter_mut().for_each(|other| assert!(other.wait().expect("it ends").success()));
        let templates = made(at);
        assert_eq!(templates.len(), 1, "{templates:?}");
        let template = templates.first().expect("one");
        assert!(template.starts_with("dbmigrate_template_"), "{template}");

        // It is as a database that was migrated.
        let database = Migrator::new(MODULES).test_database(&url).expect("a database");
        let migrated = Server { name: server.name.clone(), url: at.to_owned() }.database();
        Migrator::new(MODULES).upgrade(&migrated).expect("it is migrated");
        // MySQL writes the character set of a column that was created from such a text.
        let dump = |url: &str| {
            dump_mysql(&mut mysql_client(url)).replace("CHARACTER SET utf8mb4 COLLATE", "COLLATE")
        };
        assert_eq!(dump(database.url()), dump(&migrated));
        assert!(Migrator::new(MODULES).is_up_to_date(database.url()).expect("it is read"));

        // With more than tables it is migrated.
        let with_view = Migrator::new(WITH_VIEW).test_database(&url).expect("a database");
        let n: Option<i64> =
            mysql_client(with_view.url()).query_first("SELECT COUNT(*) FROM names").unwrap();
        assert_eq!(n, Some(2));

        // What a killed process leaves, and a template that nobody uses, are dropped by another one.
        let status = process("LEAVES_DATABASES", &url).status().expect("it runs");
        assert!(!status.success());
        assert_eq!(made(at).len(), 5, "{:?}", made(at));
        let old = format!("UPDATE {template}.dbmigrate_used SET day = '2001-01-01'");
        mysql_client(at).query_drop(old).expect("it is old");
        let status = process("MAKES_DATABASES", &url).status().expect("it runs");
        assert!(status.success());
        assert_eq!(made(at).len(), 4, "{:?}", made(at));
        assert!(Migrator::new(MODULES).is_up_to_date(database.url()).expect("it is still there"));
        drop((database, with_view));
        assert_eq!(made(at).len(), 2, "{:?}", made(at));
    }
}

#[test]
fn a_test_database_without_the_right_names_it() {
    let _writing = crate::writing();
    for server in servers::mysql("a_test_database_without_the_right_names_it") {
        let url = server.database();
        let (_, database) = url.rsplit_once('/').expect("a database");
        let mut root = mysql_client(&url);
        for sql in [
            "DROP USER IF EXISTS 'tess'@'localhost'",
            "CREATE USER 'tess'@'localhost'",
            &format!("GRANT ALL ON {database}.* TO 'tess'@'localhost'"),
        ] {
            root.query_drop(sql).expect(sql);
        }
        let tess = url.replace("root@", "tess@");
        let err = Migrator::new(MODULES).test_database(&tess).expect_err("it is refused");
        let hint = "let an administrator run `GRANT ALL ON `dbmigrate\\_%`.* TO \
                    'tess'@'localhost'`, or name one that may create databases in the URL";
        assert_eq!(err.hint(), Some(hint), "{}", err.report());
        root.query_drop("GRANT ALL ON `dbmigrate\\_%`.* TO 'tess'@'localhost'").expect("it may");
        let made = Migrator::new(MODULES).test_database(&tess).expect("a database");
        assert!(Migrator::new(MODULES).is_up_to_date(made.url()).expect("it is read"));
    }
}
