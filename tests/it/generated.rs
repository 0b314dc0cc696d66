//! Generated modules: they build what the models say, and they compile wherever they are included.

use dbmigrate_tests::{Host, dump, manifest};
use expect_test::expect;

/// Every attribute that affects a table, and types of every kind.
const MODELS: &str = r##"
use dbmigrate_runtime::{ColumnType, Columns, Model};

#[derive(ColumnType)]
pub struct Email(pub String);

#[derive(ColumnType)]
pub enum Status {
    New,
    InProgress,
    #[model(rename = "it's done")]
    Done,
}

#[derive(Columns)]
pub struct Times {
    #[model(default = now)]
    pub created_at: chrono::NaiveDateTime,
    pub updated_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Model)]
#[model(comment = "people \"and\" others", check("age >= 0"), index(name = "ix_person_names", columns(last, first desc, sql("lower(email)")), unique, where = "age > 1"))]
pub struct Person {
    #[model(primary_key, autoincrement)]
    pub id: i64,
    #[model(length = 50)]
    pub first: String,
    #[model(column = "last name", collate = "NOCASE")]
    pub last: String,
    #[model(length = 120, unique)]
    pub email: Email,
    #[model(default = "new", index)]
    pub status: Status,
    #[model(default = 0, check("age < 200"))]
    pub age: u8,
    #[model(type = Decimal(10, 2))]
    pub balance: String,
    #[model(generated("age + 1", virtual))]
    pub next_age: Option<i32>,
    #[model(generated("age || ''", stored))]
    pub age_text: Option<String>,
    #[model(default = sql("lower(hex(randomblob(4)))"))]
    pub token: String,
    #[model(default = 1.5)]
    pub weight: f64,
    #[model(default = true)]
    pub active: bool,
    pub photo: Option<Vec<u8>>,
    pub digest: [u8; 16],
    #[model(type = raw(sqlite = "TEXT", postgres = "hstore", mysql = "JSON"))]
    pub extra: Option<String>,
    #[model(skip)]
    pub cached: std::cell::Cell<u8>,
    #[model(flatten)]
    pub times: Times,
    pub r#type: char,
    #[model(references = Person::id, on_delete = set_null, deferrable = "initially deferred")]
    pub boss_id: Option<i64>,
}

#[derive(Model)]
#[model(table = "Membership List", primary_key(person_id, group), without_rowid, strict)]
struct Membership {
    #[model(references = Person, on_delete = cascade, on_update = cascade)]
    person_id: i64,
    group: String,
}

#[derive(Model)]
#[model(no_primary_key, foreign_key(columns(person, group), references = Membership(person_id, group), on_delete = restrict))]
struct Vote {
    person: i64,
    group: String,
    #[model(unique)]
    ballot: i16,
}

#[derive(Model)]
struct Numbered {
    #[model(primary_key, autoincrement = false)]
    number: i32,
}
"##;

#[test]
fn what_the_models_say_is_built_and_a_second_diff_is_empty() {
    let host = Host::library("everything", MODELS);
    host.ok("init");
    let run = host.ok("migrate -m everything");
    expect![[r#"
        Detected added table `person`
        Detected added index `ix_person_names` on `person`
        Detected added index `ix_person_status` on `person`
        Detected added table `Membership List`
        Detected added table `numbered`
        Detected added table `vote`
        Generating migrations/versions/m$DAY_$TIME_$ID1_everything.rs ... done
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    assert_eq!(host.ok("migrate -m again").stdout, "No changes in schema detected.\n");
    host.ok("upgrade");
    host.ok("check");
    let db = host.dir.join("app.db");
    expect![[r#"
        CREATE TABLE "Membership List" (
            "person_id" INTEGER NOT NULL CONSTRAINT "fk_Membership List_person_id_person" REFERENCES "person" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
            "group" TEXT NOT NULL,
            CONSTRAINT "pk_Membership List" PRIMARY KEY ("person_id", "group")
        ) STRICT, WITHOUT ROWID;
        dbmigrate_version: "$ID1", "", "everything", "1:a8424f7c732623c33c80fc3d016c01fdd61f05c7db33a25ac7057d038476d933"
        CREATE TABLE "numbered" (
            "number" INT NOT NULL,
            CONSTRAINT "pk_numbered" PRIMARY KEY ("number")
        );
        CREATE TABLE "person" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_person" PRIMARY KEY AUTOINCREMENT,
            "first" VARCHAR(50) NOT NULL,
            "last name" TEXT NOT NULL COLLATE "NOCASE",
            "email" VARCHAR(120) NOT NULL,
            "status" TEXT NOT NULL DEFAULT 'new' CONSTRAINT "ck_person_status" CHECK ("status" IN ('new', 'in_progress', 'it''s done')),
            "age" INTEGER NOT NULL DEFAULT 0,
            "balance" DECIMAL(10, 2) NOT NULL,
            "next_age" INTEGER GENERATED ALWAYS AS (age + 1) VIRTUAL,
            "age_text" TEXT GENERATED ALWAYS AS (age || '') STORED,
            "token" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)))),
            "weight" REAL NOT NULL DEFAULT 1.5,
            "active" BOOLEAN NOT NULL DEFAULT 1,
            "photo" BLOB,
            "digest" BLOB NOT NULL,
            "extra" TEXT,
            "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            "updated_at" DATETIME,
            "type" VARCHAR(1) NOT NULL,
            "boss_id" INTEGER CONSTRAINT "fk_person_boss_id_person" REFERENCES "person" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT "uq_person_email" UNIQUE ("email"),
            CONSTRAINT "ck_person_age" CHECK (age < 200),
            CONSTRAINT "ck_person_fc156f31" CHECK (age >= 0)
        );
        CREATE TABLE sqlite_sequence(name,seq);
        CREATE TABLE "vote" (
            "person" INTEGER NOT NULL,
            "group" TEXT NOT NULL,
            "ballot" INTEGER NOT NULL,
            CONSTRAINT "uq_vote_ballot" UNIQUE ("ballot"),
            CONSTRAINT "fk_vote_person_group_Membership List" FOREIGN KEY ("person", "group") REFERENCES "Membership List" ("person_id", "group") ON DELETE RESTRICT
        );
        CREATE UNIQUE INDEX "ix_person_names" ON "person" ("last name", "first" DESC, (lower(email))) WHERE age > 1;
        CREATE INDEX "ix_person_status" ON "person" ("status");
    "#]].assert_eq(&host.plain(&dump(&db)));

    // Each value is read back as it was written, with the same storage class; a decimal as a
    // number.
    let conn = rusqlite::Connection::open(&db).unwrap();
    conn.execute_batch(
        "INSERT INTO person (first, \"last name\", email, balance, digest, extra, updated_at, type, \
         photo) VALUES ('a', 'b', 'a@example.org', '10.10', x'00112233445566778899aabbccddeeff', \
         '7', '2024-10-15 14:54:59.123+00:00', '1', x'')",
    )
    .unwrap();
    let classes: String = conn
        .query_row(
            "SELECT concat_ws(' ', typeof(id), typeof(balance), balance, typeof(digest), \
             typeof(extra), typeof(updated_at), typeof(created_at), typeof(type), typeof(active), \
             typeof(weight), typeof(status), next_age, typeof(age_text)) FROM person",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(classes, "integer real 10.1 blob text text text text integer real text 1 text");
    let refused = |sql: &str| conn.execute_batch(sql).unwrap_err().to_string();
    assert!(refused("UPDATE person SET status = 'other'").contains("ck_person_status"));
    assert!(refused("UPDATE person SET age = 200").contains("ck_person_age"));
    drop(conn);
    host.ok("downgrade base --allow-destructive");
    assert_eq!(dump(&db), "CREATE TABLE sqlite_sequence(name,seq);\n");
}

#[test]
fn a_decimal_that_another_version_or_tool_declared_is_no_difference() {
    let host = Host::library(
        "decimals",
        "#[derive(dbmigrate_runtime::Model)]\n#[model(check(\"total > 5\"))]\npub struct Bill {\n    \
         #[model(primary_key)]\n    pub id: i64,\n    \
         #[model(type = Decimal(10, 2), default = \"1.50\", index)]\n    pub price: f64,\n    \
         #[model(type = Decimal(20, 2), index)]\n    pub total: String,\n}\n",
    );
    host.ok("init");
    let run = host.ok("migrate -m bill");
    expect![[r#"
        warning: column `bill.total` is decimal(20, 2), which SQLite stores as text because its numbers are exact only to 15 digits; check `ck_bill_36ab8e3c` and index `ix_bill_total` compare it as text, so `10.5` sorts before `9.5`, and `9.50` is not equal to `9.5`
          hint: declare at most 15 digits, as in `type = Decimal(15, 2)`, or compare `CAST(total AS REAL)` if 15 digits are enough
    "#]].assert_eq(&run.errors());
    host.ok("upgrade");
    let db = host.dir.join("app.db");
    let declared = "DECIMAL(10, 2) NOT NULL DEFAULT '1.50'";
    assert!(dump(&db).contains(&format!("\"price\" {declared}")), "{}", dump(&db));
    let mut was = "DECIMAL(10, 2)";
    for ty in ["TEXT", "NUMERIC", "decimal(10,2)", "NUMERIC(10, 2)"] {
        dbmigrate_tests::sql(
            &db,
            &format!(
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, \
                 '\"price\" {was}', '\"price\" {ty}') WHERE name = 'bill'; \
                 PRAGMA writable_schema = RESET;"
            ),
        );
        assert!(dump(&db).contains(&format!("\"price\" {ty} NOT NULL")), "{}", dump(&db));
        was = ty;
        host.ok("check");
        host.ok("stamp --verify --purge head");
        assert!(host.ok("diff database").stdout.starts_with("No differences."), "{ty}");
        let run = host.ok("migrate --against database -m none");
        assert_eq!(run.stdout, "No changes in schema detected.\n", "{ty}");
    }
}

#[test]
fn a_generated_module_compiles_in_every_edition_under_deny_warnings() {
    let models = MODELS.split("#[derive(Model)]\n#[model(no_primary_key").next().unwrap();
    for edition in ["2018", "2021", "2024"] {
        let host = Host::empty("edition");
        let manifest = manifest(&format!("edition{edition}"), "");
        host.write(
            "Cargo.toml",
            &manifest.replace("edition = \"2021\"", &format!("edition = {edition:?}")),
        );
        host.lock();
        host.write("src/lib.rs", &format!("#![allow(dead_code)]\n{models}"));
        host.ok("init");
        host.ok("migrate -m all");
        host.ok("revision -m empty");
        host.ok("upgrade");
        host.write(
            "src/lib.rs",
            "#![deny(warnings, missing_docs, unreachable_pub)]\n//! A crate.\n\
             #[path = \"../migrations/mod.rs\"]\nmod migrations;\n",
        );
        let run = host.cargo("check --quiet");
        assert_eq!(run.code, 0, "{edition}\n{run}");
    }
}

#[test]
fn what_a_person_wrote_is_never_overwritten() {
    let host = Host::library("hands-off", "");
    host.ok("init");
    host.ok("revision -m one --rev-id a1");
    let [path] = host.revisions().try_into().unwrap();
    // A list without its marks is maintained by hand.
    host.write("migrations/mod.rs", "//! mine\n");
    let run = host.ok("revision -m two --rev-id b2");
    assert!(run.stderr.contains("no longer has the markers"), "{run}");
    assert_eq!(host.read("migrations/mod.rs"), "//! mine\n");
    host.ok("upgrade");
    // The same name twice within one second.
    let text = host.read(&path);
    host.write("migrations/dbmigrate.toml", "file_template = \"{slug}\"\n");
    host.ok("revision -m same");
    let run = host.fails("revision -m same");
    assert!(run.stderr.contains("failed to write"), "{run}");
    assert_eq!(host.read(&path), text);
    host.write("migrations/dbmigrate.toml", "file_template = \"{rev}\"\n");
    let run = host.fails("revision -m x --rev-id 1a");
    assert!(run.stderr.contains("can't be a module's name"), "{run}");
}

#[test]
fn a_renamed_table_keeps_its_rows_and_the_names_of_its_constraints() {
    let model = |table: &str, extra: &str, fields: &str| {
        format!(
            "#[derive(dbmigrate_runtime::Model)]\n#[model(table = {table:?}{extra})]\n\
             pub struct T {{\n    #[model(primary_key)]\n    pub id: i64,\n    {fields}\n    \
             #[model(references = T, index)]\n    pub other: Option<i64>,\n}}\n"
        )
    };
    let host = Host::library("renamed-table", &model("old", "", "#[model(unique)] pub a: i64,"));
    host.ok("init");
    host.ok("migrate -m one");
    host.ok("upgrade");
    let db = host.dir.join("app.db");
    dbmigrate_tests::sql(&db, "INSERT INTO old VALUES (1, 7, NULL), (2, 8, 1)");
    let before = dump(&db);
    let fields = "#[model(unique, renamed_from = \"a\")] pub b: i64,";
    host.write("src/lib.rs", &model("new", ", renamed_from = \"old\"", fields));
    let run = host.ok("migrate -m two");
    expect![[r#"
        Detected table `old` renamed to `new`
        Detected column `new.a` renamed to `new.b`
        Detected index `ix_old_other` on `new` renamed to `ix_new_other`
        Generating migrations/versions/m$DAY_$TIME_$ID1_two.rs ... done
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    assert_eq!(run.stderr.matches("warning").count(), 2, "{run}");
    assert_eq!(run.stderr.matches("warning[rename-").count(), 2, "{run}");
    host.ok("upgrade");
    assert!(dump(&db).contains("new: 2, 8, 1\n"), "{}", dump(&db));
    assert_eq!(host.ok("migrate -m three").stdout, "No changes in schema detected.\n");
    host.ok("downgrade");
    // SQLite quotes what it renames.
    let plain = |text: String| text.replace('"', "");
    assert_eq!(plain(dump(&db)), plain(before));
}

#[test]
fn a_list_that_is_out_of_line_is_brought_in_line_before_the_host_is_built() {
    let model = "#[path = \"../migrations/mod.rs\"]\npub mod migrations;\n\
                 #[derive(dbmigrate_runtime::Model)]\npub struct User {\n    \
                 #[model(primary_key)]\n    pub id: i64,\n}\n";
    let host = Host::library("stale-list", model);
    host.ok("init");
    host.ok("revision -m wrong --rev-id a1");
    std::fs::remove_file(host.dir.join(&host.revisions()[0])).unwrap();
    let run = host.fails("check");
    assert!(
        run.stderr.contains("the list in `mod.rs` of the migrations directory does not match"),
        "{run}"
    );
    host.ok("migrate -m user");
    host.ok("upgrade");
    host.ok("check");
}

#[test]
fn what_can_not_be_applied_or_undone_is_said_when_it_is_written() {
    let model = |table: &str, fields: &str| {
        format!(
            "#[derive(dbmigrate_runtime::Model)]\n#[model(table = {table:?})]\npub struct T {{\n    \
             #[model(primary_key)]\n    pub id: i64,\n    {fields}\n}}\n"
        )
    };
    let host = Host::library("unplannable", &model("dbmigrate_version", ""));
    host.ok("init");
    let run = host.fails("migrate -m x");
    expect![[r#"
        error: a model can't have the table `dbmigrate_version`
          hint: the name is SQLite's or dbmigrate's own: choose another with `#[model(table = ...)]`
    "#]]
    .assert_eq(&run.errors());
    host.write("src/lib.rs", &model("SQLite_x", ""));
    host.fails("migrate -m x");
    host.write("src/lib.rs", &model("t", "pub small: i16,"));
    host.ok("migrate -m t");
    host.write("src/lib.rs", &model("t", ""));
    let run = host.ok("migrate -m less --allow-destructive");
    expect![[r#"
        warning: the revision discards the data in column `small` of `t`
        warning[drop-column]: revision `$ID1`: drop column `small` of table `t`: its values are lost, and a running program that uses it fails
          in migrations/versions/m$DAY_$TIME_$ID1_less.rs, on SQLite
          hint: remove the field in one release, with the column nullable or with a default, and drop the column in a later one
    "#]]
    .assert_eq(&host.plain(&run.errors()));
    // Having no model at all is rarely intended.
    host.write("src/lib.rs", "");
    let run = host.fails("migrate -m none");
    expect![[r#"
        error: the package has no model, so all tables of the migrations would be dropped: `t`
          hint: check `features`, `lib` and `bin` in dbmigrate.toml; --allow-destructive drops the tables
    "#]].assert_eq(&run.errors());
}

/// Each column is a call, and Rust has no limit that is lower than SQLite's.
#[test]
fn a_table_may_have_as_many_columns_as_sqlite_takes() {
    let columns: String =
        (2..=2000).map(|found| format!("    pub c{found}: Option<i32>,\n")).collect();
    let model = format!(
        "#[derive(dbmigrate_runtime::Model)]\npub struct Wide {{\n\
         #[model(primary_key)]\n    pub id: i64,\n{columns}}}\n"
    );
    let host = Host::library("wide", &model);
    host.ok("init");
    host.ok("migrate -m wide");
    host.ok("upgrade");
    assert_eq!(host.ok("migrate --against database").stdout, "No changes in schema detected.\n");
    let module = host.read(&host.revision("wide"));
    assert_eq!(module.matches(".column(Column::new(").count(), 2000);
}

#[test]
fn renames_are_said_and_losses_are_agreed_to() {
    let model = |fields: &str| {
        format!(
            "#[derive(dbmigrate_runtime::Model)]\npub struct User {{\n    \
             #[model(primary_key)]\n    pub id: i64,\n    {fields}\n}}\n"
        )
    };
    let host = Host::library("renames", &model("pub name: String,"));
    host.ok("init");
    host.ok("migrate -m first");
    host.ok("upgrade");
    let db = host.dir.join("app.db");
    dbmigrate_tests::sql(&db, "INSERT INTO user VALUES (1, 'ada')");

    host.write("src/lib.rs", &model("pub login: String,"));
    let run = host.fails("migrate -m login");
    expect![[r#"
        error: cannot write the revision without an answer to this question:
          column `user.name` is gone: was it renamed to `user.login`, or dropped (its values are discarded)?
          hint: answer in the model (`renamed_from`, `default`), or by the flags on one of these lines:
            --rename user.name:user.login
            --no-renames --fill "user.login=''" --allow-destructive
              discards the data in column `name` of `user` (1 row)
    "#]].assert_eq(&run.errors());
    let run = host.fails("migrate -m login --rename user.nme:user.login");
    expect![[r#"
        error: --rename user.nme:user.login: the migrations have no column `user.nme`
          hint: the form is `old:new` for tables, `table.old:table.new` for columns, with the names in the database
    "#]].assert_eq(&run.errors());
    let run = host.ok("migrate -m login --rename user.name:user.login --dry-run");
    assert!(run.stdout.contains("op.rename_column(\"user\", \"name\", \"login\");"), "{run}");
    assert_eq!(host.revisions().len(), 1, "a dry run writes nothing");

    // The same, but declared in the model permanently.
    let renamed = "#[model(renamed_from = \"name\")]\n    pub login: String,";
    host.write("src/lib.rs", &model(renamed));
    host.ok("migrate -m login");
    host.ok("upgrade");
    assert!(dump(&db).contains("user: 1, \"ada\""), "{}", dump(&db));
    assert_eq!(host.ok("migrate").stdout, "No changes in schema detected.\n");

    host.write("src/lib.rs", &model(""));
    let run = host.fails("migrate -m drop");
    expect![[r#"
        error: the revision would discard rows or values:
          it discards the data in column `login` of `user` (1 row)
          hint: --allow-destructive writes it anyway
    "#]]
    .assert_eq(&run.errors());
    let run = host.ok("migrate -m drop --allow-destructive --dry-run");
    assert!(run.stdout.contains("// This discards the data in column `login` of `user`."), "{run}");
    host.write("src/lib.rs", &model("pub login: String,\n    pub age: i32,"));
    let run = host.fails("migrate -m age");
    expect![[r#"
        error: cannot write the revision without an answer to this question:
          column `user.age` is new, NOT NULL and without a default: what value do existing rows get (1 row)?
          hint: answer in the model (`renamed_from`, `default`), or by flags such as these:
            --fill user.age=0
    "#]].assert_eq(&run.errors());
    host.write("src/lib.rs", &model("#[model(unique)]\n    pub login: String,"));
    let run = host.ok("migrate -m unique");
    expect![[r#"
        warning[unique-on-rows]: revision `$ID1`: add unique constraint `uq_user_login` to table `user`: rows of table `user` with the same values stop the upgrade
          in migrations/versions/m$DAY_$TIME_$ID1_unique.rs, on SQLite
          hint: find the repeated values and correct them in an earlier revision
    "#]].assert_eq(&host.plain(&run.errors()));
    host.ok("upgrade");
    let after = dump(&db);
    assert!(after.contains("CONSTRAINT \"uq_user_login\" UNIQUE (\"login\")"), "{after}");
    assert!(dump(&db).contains("user: 1, \"ada\""), "{}", dump(&db));
}
