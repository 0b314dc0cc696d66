//! `adopt`: a history that begins with a database that exists.

use dbmigrate_tests::{Host, sorted, sql};
use expect_test::expect;

#[test]
fn a_database_that_exists_is_adopted_in_one_command() {
    let host =
        Host::binary("adopt", "//! An application.\n#![allow(unused_imports)]\n\nfn main() {}\n");
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
                 CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES
                 users (id), state TEXT NOT NULL CHECK (state IN ('draft', 'published')));
                 INSERT INTO users (email) VALUES ('a@example.com')";
    sql(&host.dir.join("app.db"), table);
    for n in 0..10 {
        sql(&host.dir.join(format!("tenants_{n}.db")), table);
    }
    sql(&host.dir.join("tenants_7.db"), "DROP TABLE posts");
    host.ok("init");
    let run = host.fails("adopt --url sqlite:nothing.db");
    expect![[r#"
        error: the database `$HOST/nothing.db` does not exist
    "#]]
    .assert_eq(&host.plain(&run.errors()));
    assert!(!host.dir.join("src/models.rs").exists());

    let run = host.fails("adopt --all tenants_*.db");
    let text = format!("{}{}", host.plain(&sorted(&run.stdout)), host.plain(&run.errors()));
    expect![[r#"
        10 databases: 0 stamped before, 9 stamped, 1 failed
        Detected added table `posts`
        Detected added table `users`
        Generating migrations/versions/m$DAY_$TIME_$ID1_existing_schema.rs ... done
        Generating src/models.rs ... done
        Marking revision $ID1 as applied in sqlite:$HOST/app.db ... done
        Models and migrations agree.
        The database agrees with the migrations.
        The database is at the head.
        tenants_0.db: 1 revision
        tenants_1.db: 1 revision
        tenants_2.db: 1 revision
        tenants_3.db: 1 revision
        tenants_4.db: 1 revision
        tenants_5.db: 1 revision
        tenants_6.db: 1 revision
        tenants_8.db: 1 revision
        tenants_9.db: 1 revision
        note: added to src/main.rs: `mod models;`
        Database: sqlite:$HOST/app.db
        error: tenants_7.db: the database does not match revision `$ID1`: table `posts` is missing from the database
          hint: bring it in line by hand; `stamp --verify REV` marks another revision if the database has its schema
    "#]].assert_eq(&text);
    expect![[r#"
        //! An application.
        #![allow(unused_imports)]

        mod models;

        fn main() {}
    "#]]
    .assert_eq(&host.read("src/main.rs"));
    let revision = host.revision("existing_schema");
    assert!(
        host.read(&revision)
            .contains("    op.irreversible(\"its tables were there before the history began\");\n")
    );
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");

    // Again, nothing changes, except that the remaining database has been put right.
    sql(
        &host.dir.join("tenants_7.db"),
        table[table.find("CREATE TABLE posts").unwrap()..].split(";\n").next().unwrap(),
    );
    let before = [host.read("src/main.rs"), host.read("src/models.rs"), host.read(&revision)];
    let run = host.ok("adopt --all tenants_*.db");
    expect![[r#"
        10 databases: 9 stamped before, 1 stamped, 0 failed
        Models and migrations agree.
        Models, migrations, version table and database agree.
        The database agrees with the migrations.
        The database is at the head.
        tenants_7.db: 1 revision
    "#]]
    .assert_eq(&sorted(&run.stdout));
    assert_eq!(
        before,
        [host.read("src/main.rs"), host.read("src/models.rs"), host.read(&revision)]
    );
    assert_eq!(host.revisions().len(), 1);

    // Models that exist stay as they are, and what they lack is a difference.
    host.replace(
        "src/models.rs",
        "    pub email: String,\n",
        "    pub email: String,\n    pub name: Option<String>,\n",
    );
    let run = host.dbmigrate("adopt");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.starts_with("Models and migrations differ:\n"), "{run}");
    let run = host.fails("downgrade base --allow-destructive");
    expect![[r#"
        error: revision `$ID1` can't be undone: its tables were there before the history began
          hint: restore a backup, or write a new revision that makes the changes you need
    "#]]
    .assert_eq(&host.plain(&run.errors()));

    // A file that the crate doesn't include.
    let host = Host::library("adopt-elsewhere", "");
    sql(&host.dir.join("app.db"), table);
    host.ok("init");
    let run = host.fails("adopt --out src/db/models.rs");
    expect![[r#"
        error: `src/db/models.rs` would not be a part of the crate
          hint: write it with `inspect --out`, include it with `mod models;` beside it, and run `adopt` again
    "#]]
    .assert_eq(&host.plain(&run.errors()));
}
