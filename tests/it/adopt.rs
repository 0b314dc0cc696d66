//! `adopt`: a history that begins with a database that exists.

mod crates;
#[cfg(unix)]
mod interrupted;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server, client, mysql_client};
use dbmigrate_tests::{Host, Run, sorted, sql};
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
    let shown = host.ok("show head --format json").json();
    let why = "its tables were there before the history began";
    assert_eq!(shown["revisions"][0]["irreversible"], why);
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
    // That is what the next revision has, and the one after it nothing.
    let run = host.ok("migrate -m name");
    expect![[r#"
        Detected added column `users.name`
        Generating migrations/versions/m$DAY_$TIME_$ID1_name.rs ... done
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    host.ok("upgrade");
    let run = host.ok("migrate -m nothing");
    assert_eq!(run.stdout, "No changes in schema detected.\n");
    host.ok("adopt");
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

const ON_SERVERS: [&str; 3] = [
    "CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(100) NOT NULL UNIQUE)",
    "CREATE TABLE posts (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, title VARCHAR(50),
     FOREIGN KEY (user_id) REFERENCES users (id))",
    "CREATE INDEX ix_posts_user_id ON posts (user_id)",
];

fn execute(server: &Server, url: &str, statements: &[&str]) {
    for statement in statements {
        if server.dialect() == "postgres" {
            client(url).batch_execute(statement).unwrap();
        } else {
            mysql_client(url).query_drop(statement).unwrap();
        }
    }
}

#[test]
fn databases_on_servers_are_adopted_in_one_command() {
    let test = "databases_on_servers_are_adopted_in_one_command";
    for server in servers::in_turn(test) {
        let mut host = Host::library(&format!("adopt-{}", server.name), "//! A library.\n");
        let urls = [server.database(), server.database(), server.database()];
        urls.iter().for_each(|url| execute(&server, url, &ON_SERVERS));
        execute(&server, &urls[2], &["DROP TABLE posts"]);
        host.write("customers.txt", &format!("{}\n", urls[1..].join("\n")));
        host.env("DATABASE_URL", &urls[0]);
        host.ok(&format!("init --dialect {}", server.dialect()));
        let plain = |host: &Host, run: &Run| {
            let text = format!("{}{}", sorted(&run.stdout), run.errors());
            let urls = urls.iter().enumerate();
            host.plain(
                &urls.fold(text, |text, (nth, url)| text.replace(url, &format!("$URL{nth}"))),
            )
        };
        let run = host.fails("adopt --all customers.txt");
        expect![[r#"
            2 databases: 0 stamped before, 1 stamped, 1 failed
            Detected added index `ix_posts_user_id` on `posts`
            Detected added table `posts`
            Detected added table `users`
            Generating migrations/versions/m$DAY_$TIME_$ID1_existing_schema.rs ... done
            Generating src/models.rs ... done
            Marking revision $ID1 as applied in $URL0 ... done
            Models and migrations agree.
            The database agrees with the migrations.
            The database is at the head.
            $URL1: 1 revision
            note: added to src/lib.rs: `pub mod models;`
            Database: $URL0
            error: $URL2: the database does not match revision `$ID1`: table `posts` is missing from the database
              hint: bring it in line by hand; `stamp --verify REV` marks another revision if the database has its schema
        "#]].assert_eq(&plain(&host, &run));
        let run = host.cargo("check");
        assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");

        // Again, with the last one put right.
        execute(&server, &urls[2], &ON_SERVERS[1..]);
        let revision = host.revision("existing_schema");
        let files = || [host.read("src/lib.rs"), host.read("src/models.rs"), host.read(&revision)];
        let before = files();
        let run = host.ok("adopt --all customers.txt");
        expect![[r#"
            2 databases: 1 stamped before, 1 stamped, 0 failed
            Models and migrations agree.
            Models, migrations, version table and database agree.
            The database agrees with the migrations.
            The database is at the head.
            $URL2: 1 revision
            Database: $URL0
        "#]]
        .assert_eq(&plain(&host, &run));
        assert_eq!(before, files());

        // What only the database has is a patch.
        execute(&server, &urls[0], &["ALTER TABLE posts ADD COLUMN note VARCHAR(20)"]);
        let run = host.ok("inspect --update");
        let changed = run.stdout.lines().filter(|line| line.starts_with(['+', '-']));
        let changed: String = changed.map(|line| format!("{line}\n")).collect();
        expect![[r#"
            --- a/src/models.rs
            +++ b/src/models.rs
            +    #[model(length = 20)]
            +    pub note: Option<String>,
            the patch adds column `posts.note`; `git apply` takes it at the root of the repository, and `diff models database` then lists what else differs
        "#]].assert_eq(&format!("{changed}{}", run.errors().replace(&urls[0], "$URL0")));

        // The next revision has exactly what the models changed.
        execute(&server, &urls[0], &["ALTER TABLE posts DROP COLUMN note"]);
        let field = "    pub user_id: i64,\n";
        let stars = format!("{field}    pub stars: Option<i32>,\n");
        host.replace("src/models.rs", field, &stars);
        let run = host.ok("migrate -m stars");
        let detected = run.stdout.lines().filter(|line| line.starts_with("Detected"));
        let detected: Vec<&str> = detected.collect();
        assert_eq!(detected, ["Detected added column `posts.stars`"], "{run}");
        host.ok("upgrade");
        host.ok("check");
        let run = host.ok("migrate -m nothing");
        assert_eq!(run.stdout, "No changes in schema detected.\n");
    }
}
