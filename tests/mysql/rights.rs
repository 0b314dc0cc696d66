//! What a user may not do is named with the privilege that is missing.

use dbmigrate_runtime::Migrator;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, mysql_client};
use expect_test::expect;

use crate::lent::MODULES;

#[test]
fn the_missing_privilege_is_named() {
    let _writing = crate::writing();
    for server in servers::mysql("the_missing_privilege_is_named") {
        let url = server.database();
        let (_, database) = url.rsplit_once('/').expect("a URL names a database");
        let mut root = mysql_client(&url);
        root.query_drop("DROP USER IF EXISTS 'eve'@'localhost'").expect("no account");
        root.query_drop("CREATE USER 'eve'@'localhost'").expect("an account");
        let eve = url.replace("root@", "eve@");
        let mut seen = String::new();
        for privileges in ["SELECT", "CREATE", "INSERT, UPDATE, DELETE", "DROP"] {
            let grant = format!("GRANT {privileges} ON {database}.* TO 'eve'@'localhost'");
            root.query_drop(grant).expect("the privileges");
            let report = match Migrator::new(MODULES).upgrade(&eve) {
                Ok(ran) => format!("upgrade: {ran:?}"),
                Err(err) => err.report(),
            };
            seen += &format!("+ {privileges}\n{report}\n");
            if let Err(err) = Migrator::new(MODULES).downgrade(&eve, "base") {
                seen += &format!("{}\n", err.report());
            }
        }
        root.query_drop("SET GLOBAL read_only = 1").expect("it is closed to writers");
        let err = Migrator::new(MODULES).upgrade(&eve).expect_err("it is refused");
        root.query_drop("SET GLOBAL read_only = 0").expect("it is open");
        seen += &format!("read_only\n{}\n", err.report());
        let mut conn = mysql_client(&url);
        conn.query_drop("SET SESSION TRANSACTION READ ONLY").expect("it only reads");
        let err = Migrator::new(MODULES).upgrade(&mut conn).expect_err("it is refused");
        seen += &format!("READ ONLY\n{}\n", err.report());
        conn.query_drop("SET SESSION TRANSACTION READ WRITE").expect("the hint is right");
        assert_eq!(Migrator::new(MODULES).upgrade(&mut conn).expect("it is migrated"), ["m1"]);
        // The servers name a table and themselves in different ways.
        let seen = seen.replace("The MySQL server", "The MariaDB server");
        let seen = seen.replace("READ ONLY transaction.\n", "READ ONLY transaction\n");
        let seen = seen.replace(&format!("`{database}`.`item`"), "'item'");
        let seen =
            seen.replace(&format!("`{database}`.`dbmigrate_version`"), "'dbmigrate_version'");
        let seen = seen.replace(&format!("`{database}`.`dbmigrate_step`"), "'dbmigrate_step'");
        let seen = seen.replace("utf8mb4_nopad_bin", "utf8mb4_0900_bin");
        expect![[r#"
            + SELECT
            failed to create the version table
              caused by: CREATE command denied to user 'eve'@'localhost' for table 'dbmigrate_version'
              hint: let an administrator run `GRANT CREATE ON `app`.* TO 'eve'@'localhost'`, or run it as another user, for example with `--url`
            + CREATE
            failed to enter a statement into the ledger
              caused by: INSERT command denied to user 'eve'@'localhost' for table 'dbmigrate_step'
              hint: let an administrator run `GRANT INSERT ON `app`.* TO 'eve'@'localhost'`, or run it as another user, for example with `--url`
            + INSERT, UPDATE, DELETE
            upgrade: ["m1"]
            revision `m1` stopped halfway: statement 3 of 3 failed: DROP TABLE `item`
              caused by: DROP command denied to user 'eve'@'localhost' for table 'item'
              hint: let an administrator run `GRANT DROP ON `app`.* TO 'eve'@'localhost'`, or run it as another user, for example with `--url`
            + DROP
            revision `m1` is half undone: an earlier run stopped in it, so no other revision can run
              hint: `cargo dbmigrate downgrade -1` continues it; with `--restart`, what is done of it is taken back first
            read_only
            failed to enter a statement into the ledger
              caused by: The MariaDB server is running with the --read-only option so it cannot execute this statement
              hint: run it with the URL of the server that takes the writes, for example with `--url`; if this is the one, let an administrator run `SET GLOBAL read_only = 0`
            READ ONLY
            failed to enter a statement into the ledger
              caused by: Cannot execute statement in a READ ONLY transaction
              hint: the session's setting makes all its transactions read-only: if the program made it, let it run `SET SESSION TRANSACTION READ WRITE` first; if the server did, let an administrator run `SET GLOBAL TRANSACTION READ WRITE`
        "#]].assert_eq(&seen.replace(database, "app"));
    }
}
