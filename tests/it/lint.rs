//! `lint`: its command line, its forms of output, and its settings. The rules have cases of their
//! own, in `tests/lint`.

use dbmigrate_tests::servers;
use dbmigrate_tests::{Host, revision};
use expect_test::expect;
use serde_json::Value;

const TABLE: &str = "op.create_table(Table::new(\"post\")\
    .column(Column::new(\"id\", Type::BigInteger).not_null())\
    .column(Column::new(\"title\", Type::Text))\
    .primary_key(\"pk_post\", [\"id\"]));";

/// A history of three revisions; the last one drops the table.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let write = |id: &str, parents: &[&str], upgrade: &str, downgrade: &str| {
        let path = format!("migrations/versions/m_{id}.rs");
        host.write(&path, &revision(id, parents, id, upgrade, downgrade));
    };
    write("a100", &[], TABLE, "op.drop_table(\"post\");");
    let column = "op.add_column(\"post\", Column::new(\"rank\", Type::Integer).not_null());";
    write("b200", &["a100"], column, "op.drop_column(\"post\", \"rank\");");
    write("c300", &["b200"], "op.drop_table(\"post\");", "");
    host
}

/// What a command prints, with its exit code.
fn said(host: &Host, command: &str) -> String {
    let run = host.dbmigrate(command);
    let (stdout, stderr) = (host.plain(&run.stdout), host.plain(&run.errors()));
    format!("$ {command} => {}\n{stdout}{stderr}", run.code)
}

#[test]
fn what_is_pending_is_looked_at_or_else_the_newest_revision() {
    let host = host("lint");
    let mut seen = said(&host, "lint");
    assert!(!host.dir.join("app.db").exists());
    host.ok("upgrade a100");
    seen += &said(&host, "lint");
    host.ok("upgrade");
    seen += &said(&host, "lint --deny-warnings");
    seen += &said(&host, "lint b200");
    seen += &said(&host, "lint base:a100");
    seen += &said(&host, "lint head:");
    seen += &said(&host, "lint nonsense");
    seen += &said(&host, "lint base");
    expect![[r#"
        $ lint => 0
        warning[no-way-back]: revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes
          in migrations/versions/m_c300.rs, on SQLite
          hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
        warning[drop-table]: revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m_c300.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in revision `c300`: 2 warnings.
        $ lint => 0
        warning[required-column]: revision `b200`: add column `rank` to table `post`: the upgrade stops if table `post` has rows, which would have no value in it
          in migrations/versions/m_b200.rs, on SQLite
          hint: give the column a default, or give existing rows a value with `.using(...)`
        warning[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m_b200.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        warning[no-way-back]: revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes
          in migrations/versions/m_c300.rs, on SQLite
          hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
        warning[drop-table]: revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m_c300.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in 2 pending revisions: 4 warnings.
        $ lint --deny-warnings => 1
        warning[no-way-back]: revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes
          in migrations/versions/m_c300.rs, on SQLite
          hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
        warning[drop-table]: revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m_c300.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in revision `c300`: 2 warnings.
        $ lint b200 => 0
        warning[required-column]: revision `b200`: add column `rank` to table `post`: the upgrade stops if table `post` has rows, which would have no value in it
          in migrations/versions/m_b200.rs, on SQLite
          hint: give the column a default, or give existing rows a value with `.using(...)`
        warning[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m_b200.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        Found in revision `b200`: 2 warnings.
        $ lint base:a100 => 0
        Nothing was found in revision `a100`.
        $ lint head: => 0
        There is no revision in the range.
        $ lint nonsense => 3
        error: no revision `nonsense` in this project
          hint: `cargo dbmigrate history` lists them
        $ lint base => 3
        error: `base` is before the first revision
          hint: `cargo dbmigrate history` lists the revisions
    "#]].assert_eq(&seen);
}

#[test]
fn settings_change_levels_and_name_rules_that_exist() {
    let host = host("lint-levels");
    let mut seen = String::new();
    for (from, to) in [
        ("lint.deny = []", "lint.deny = [\"drop-table\"]"),
        ("lint.allow = []", "lint.allow = [\"no-way-back\"]"),
        ("lint.warn = []", "lint.warn = [\"drop-table\"]"),
        ("lint.warn = [\"drop-table\"]", "lint.warn = [\"drop-tables\"]"),
    ] {
        host.replace("migrations/dbmigrate.toml", from, to);
        seen += &said(&host, "lint");
    }
    expect![[r#"
        $ lint => 1
        warning[no-way-back]: revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes
          in migrations/versions/m_c300.rs, on SQLite
          hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
        denied[drop-table]: revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m_c300.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in revision `c300`: 1 denied, 1 warning.
        $ lint => 1
        denied[drop-table]: revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m_c300.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in revision `c300`: 1 denied.
        $ lint => 3
        error: `lint.deny` and `lint.warn` in `migrations/dbmigrate.toml` both name `drop-table`
          hint: remove it from one of the two lists
        $ lint => 3
        error: `lint.warn` in `migrations/dbmigrate.toml` names no rule: `drop-tables`
          hint: the rules are `refused`, `drop-table`, `drop-column`, `rename-table`, `rename-column`, `narrow-type`, `enum-value-removed`, `required-column`, `unwritten-column`, `set-not-null`, `drop-default`, `drop-not-null`, `drop-constraint`, `unique-on-rows`, `exclusion-on-rows`, `check-on-rows`, `foreign-key-on-rows`, `index-locks`, `exclusion-locks`, `scan-locks`, `rewrite-locks`, `volatile-default`, `several-tables-locked`, `step-under-lock`, `unindexed-foreign-key`, `redundant-index`, `float-money`, `no-primary-key`, `small-primary-key`, `unusual-name`, `no-way-back`, `undescribed-sql`, `dangerous-sql`, `rebuild`, `cluster-blocked`, `wrong-allow`
    "#]].assert_eq(&seen);
}

#[test]
fn findings_are_printed_for_code_scanning_and_for_workflows() {
    let host = host("lint-forms");
    std::fs::create_dir(host.dir.parent().unwrap().join(".git")).unwrap();
    host.replace("migrations/dbmigrate.toml", "lint.deny = []", "lint.deny = [\"drop-table\"]");
    let github = said(&host, "lint --output github");
    expect![[r#"
        $ lint --output github => 1
        ::warning file=host/migrations/versions/m_c300.rs,title=no-way-back::revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes%0Ahint: write `downgrade`, or say why there is none with `op.irreversible("...")`
        ::error file=host/migrations/versions/m_c300.rs,title=drop-table::revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails%0Ahint: stop using the table in one release and drop it in a later one, after a backup
    "#]].assert_eq(&github);
    let sarif = host.dbmigrate("lint --output sarif");
    assert_eq!(sarif.code, 1, "{sarif}");
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "drop-table"), "{rules:?}");
    expect![[r#"
        [
          {
            "level": "warning",
            "locations": [
              {
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "host/migrations/versions/m_c300.rs",
                    "uriBaseId": "%SRCROOT%"
                  }
                }
              }
            ],
            "message": {
              "text": "revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes\nhint: write `downgrade`, or say why there is none with `op.irreversible(\"...\")`"
            },
            "ruleId": "no-way-back"
          },
          {
            "level": "error",
            "locations": [
              {
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "host/migrations/versions/m_c300.rs",
                    "uriBaseId": "%SRCROOT%"
                  }
                }
              }
            ],
            "message": {
              "text": "revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails\nhint: stop using the table in one release and drop it in a later one, after a backup"
            },
            "ruleId": "drop-table"
          }
        ]
    "#]].assert_eq(&format!("{:#}\n", run["results"]));
    let refused = said(&host, "lint --output sarif --format json");
    assert!(refused.contains("leave out --format json, or --output"), "{refused}");
}

#[test]
fn a_history_without_revisions_has_nothing_to_find() {
    let host = Host::library("lint-empty", "");
    host.ok("init");
    expect![[r#"
        $ lint => 0
        There are no revisions yet.
    "#]]
    .assert_eq(&said(&host, "lint"));
}

/// A URL of MySQL may lead to MariaDB, whose statements are others.
#[test]
fn a_server_is_looked_at_as_what_it_is() {
    let test = "a_server_is_looked_at_as_what_it_is";
    let servers = servers::in_turn(test);
    if servers.is_empty() {
        return;
    }
    let host = host("lint-servers");
    for server in servers {
        let url = server.database();
        host.ok(&format!("upgrade a100 --url {url}"));
        let run = host.ok(&format!("lint --url {url}"));
        let title = match server.dialect() {
            "postgres" => "PostgreSQL",
            "mariadb" => "MariaDB",
            _ => "MySQL",
        };
        let n_named = run.stdout.matches(&format!(", on {title}\n")).count();
        assert_eq!(n_named, run.stdout.matches("\n  in ").count(), "{}: {run}", server.name);
        assert!(run.stdout.ends_with("Found in 2 pending revisions: 4 warnings.\n"), "{run}");
    }
}

const MODEL: &str = "#[derive(dbmigrate_runtime::Model)]\n#[model(table = \"post\")]\n\
    pub struct Post {\n    #[model(primary_key)]\n    pub id: i64,\n    pub title: Option<String>,\n\
    MORE}\n";

/// A host with a first revision, applied.
fn with_post(name: &str) -> Host {
    let host = Host::library(name, &MODEL.replace("MORE", ""));
    host.ok("init");
    host.ok("migrate -m post --rev-id a100");
    host.ok("upgrade");
    host
}

#[test]
fn what_is_written_is_looked_at_and_denied_only_by_settings() {
    let host = with_post("lint-written");
    let ok = host.ok("migrate -m none");
    assert!(!ok.stderr.contains("warning["), "{ok}");
    host.write("src/lib.rs", &MODEL.replace("MORE", "    pub rank: i32,\n"));
    let migrate = "migrate -m rank --rev-id b200 --fill post.rank=0";
    let dry = host.dbmigrate(&format!("{migrate} --dry-run"));
    assert_eq!(dry.code, 0, "{dry}");
    let errors = host.plain(&dry.errors());
    assert!(errors.contains("in the new revision, on SQLite"), "{errors}");
    let json = host.ok(&format!("{migrate} --dry-run --format json")).json();
    assert_eq!(json["findings"][0]["path"], Value::Null, "{json}");
    let mut seen = said(&host, migrate);
    // The answer of `check` is the same as without the warning.
    seen += &said(&host, "check --no-database");
    host.replace(
        "migrations/dbmigrate.toml",
        "lint.deny = []",
        "lint.deny = [\"unwritten-column\"]",
    );
    seen += &said(&host, "check --no-database");
    seen += &said(&host, "check");
    let json = host.dbmigrate("check --format json").json();
    assert_eq!((&json["agree"], &json["findings"][0]["level"]), (&false.into(), &"deny".into()));
    host.ok("undo");
    seen += &said(&host, migrate);
    host.ok("undo");
    let run = host.dbmigrate(&format!("{migrate} --format json"));
    assert_eq!(run.code, 1, "{run}");
    let json = run.json();
    assert_eq!(json["findings"][0]["rule"], "unwritten-column", "{json}");
    assert_eq!(json["findings"][0]["level"], "deny", "{json}");
    assert_eq!(json["findings"][0]["path"], json["path"], "{json}");
    let file = host.revision("rank");
    host.replace(
        &file,
        "    op.add_column(",
        "    op.allow(\"unwritten-column\", \"nobody writes it yet\");\n    op.add_column(",
    );
    host.ok("check --no-database");
    host.ok("upgrade");
    seen += &said(&host, "check");
    // A mistake in the settings is found before anything is written.
    host.replace("migrations/dbmigrate.toml", "[\"unwritten-column\"]", "[\"unwriten\"]");
    host.write("src/lib.rs", &MODEL.replace("MORE", ""));
    let n_revisions = host.revisions().len();
    let fails = host.fails("migrate -m less --allow-destructive");
    assert!(fails.errors().contains("names no rule: `unwriten`"), "{fails}");
    assert_eq!(host.revisions().len(), n_revisions);
    expect![[r#"
        $ migrate -m rank --rev-id b200 --fill post.rank=0 => 0
        Detected added column `post.rank`
        Generating migrations/versions/m$DAY_$TIME_b200_rank.rs ... done
        warning[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m$DAY_$TIME_b200_rank.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        $ check --no-database => 0
        Models and migrations agree.
        warning[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m$DAY_$TIME_b200_rank.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        $ check --no-database => 1
        Models and migrations agree.
        The rules of `lint` deny:
        denied[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m$DAY_$TIME_b200_rank.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        $ check => 1
        Models and migrations agree.
        The database is behind: b200 pending.
        The database agrees with the migrations.
        The rules of `lint` deny:
        denied[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m$DAY_$TIME_b200_rank.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        Database: sqlite:$HOST/app.db
        $ migrate -m rank --rev-id b200 --fill post.rank=0 => 1
        Detected added column `post.rank`
        Generating migrations/versions/m$DAY_$TIME_b200_rank.rs ... done
        denied[unwritten-column]: revision `b200`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m$DAY_$TIME_b200_rank.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        `lint.deny` forbids this: change the revision, or allow it there with `op.allow("RULE", "reason")`
        $ check => 0
        Models and migrations agree.
        The database is at the head.
        The database agrees with the migrations.
        Database: sqlite:$HOST/app.db
    "#]].assert_eq(&seen);
}

/// What the models of an existing database say is no change.
#[test]
fn what_exists_already_is_not_looked_at_when_it_is_adopted() {
    let host = Host::library("lint-adopted", "");
    host.ok("init");
    let text = "CREATE TABLE author (id INTEGER PRIMARY KEY);
        CREATE TABLE post (id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author (id));";
    dbmigrate_tests::sql(&host.dir.join("app.db"), text);
    let run = host.ok("adopt");
    assert!(!run.stderr.contains("warning[unindexed-foreign-key]"), "{run}");
}

/// A first revision of many tables must not hide what else is said.
#[test]
fn of_many_findings_the_first_ones_are_shown() {
    let model = |nth: usize| {
        format!(
            "#[derive(dbmigrate_runtime::Model)]\n#[model(no_primary_key)]\npub struct T{nth} {{\n    pub price: f64,\n}}\n"
        )
    };
    let host = Host::library("lint-many", &(0..12).map(model).collect::<String>());
    host.ok("init");
    let run = host.ok("migrate -m many");
    assert_eq!(run.stderr.matches("warning[").count(), 10, "{run}");
    let more = "14 more findings; `cargo dbmigrate lint` or -v lists all";
    assert!(run.stderr.contains(more), "{run}");
    let run = host.ok("check --no-database");
    assert!(run.stderr.contains(more), "{run}");
    let run = host.ok("check --no-database -v");
    assert_eq!(run.stderr.matches("warning[").count(), 24, "{run}");
}

#[test]
fn what_can_be_fixed_is_written_into_pending_revisions() {
    let host = Host::library("lint-fix", "");
    host.ok("init --dialect postgres");
    let write = |id: &str, parents: &[&str], upgrade: &str, downgrade: &str| {
        let path = format!("migrations/versions/m_{id}.rs");
        host.write(&path, &revision(id, parents, id, upgrade, downgrade));
    };
    write("a100", &[], TABLE, "op.drop_table(\"post\");");
    let index = "op.create_index(\"post\", Index::new(\"ix_title\", [\"title\"]));";
    write("b200", &["a100"], index, "op.drop_index(\"post\", \"ix_title\");");
    let column = "Column::new(\"title\", Type::Text)";
    let back = format!("op.add_column(\"post\", {column});");
    let drop = "op.drop_index(\"post\", \"ix_title\");\n    \
                op.drop_column(\"post\", \"title\");";
    write("c300", &["b200"], drop, &back);
    let mixed = "op.add_column(\"post\", Column::new(\"body\", Type::Text));\n    \
                 op.alter_column(\"post\", \"body\", ColumnChange::new().not_null());";
    write("d400", &["c300"], mixed, "op.drop_column(\"post\", \"body\");");
    let mut seen = said(&host, "lint --fix --no-database");
    seen += &said(&host, "lint a100:head --fix --no-database");
    seen += &said(&host, "lint a100:head --fix --no-database");
    seen += host.read("migrations/versions/m_b200.rs").split_once("pub fn upgrade").unwrap().1;
    seen += host.read("migrations/versions/m_c300.rs").split_once("pub fn upgrade").unwrap().1;
    expect![[r#"
        $ lint --fix --no-database => 3
        error: --fix edits pending revisions, which only the database knows
          hint: leave out --no-database, or name the revisions that no database has applied, as in `cargo dbmigrate lint $ID1:head --fix --no-database`
        $ lint a100:head --fix --no-database => 0
        Fixing migrations/versions/m_b200.rs: index-locks: `.concurrently()`
        Fixing migrations/versions/m_c300.rs: drop-column: `op.barrier(...)`
        warning[set-not-null]: revision `d400`: alter column `body` of table `post`: rows in which it is NULL stop the upgrade, and a running program that writes NULL fails
          in migrations/versions/m_d400.rs, on PostgreSQL
          hint: have the program write a value in one release, then make the column required, with `.fill(...)` for existing rows
        Found in 3 revisions: 1 warning.
        warning: revision `d400`: set-not-null: the revision has to be divided, but its file differs from what `migrate` writes: move what can wait into a revision of its own, with `op.barrier(...)`
        $ lint a100:head --fix --no-database => 0
        warning[set-not-null]: revision `d400`: alter column `body` of table `post`: rows in which it is NULL stop the upgrade, and a running program that writes NULL fails
          in migrations/versions/m_d400.rs, on PostgreSQL
          hint: have the program write a value in one release, then make the column required, with `.fill(...)` for existing rows
        Found in 3 revisions: 1 warning.
        warning: revision `d400`: set-not-null: the revision has to be divided, but its file differs from what `migrate` writes: move what can wait into a revision of its own, with `op.barrier(...)`
        (op: &mut Operations) {
            op.create_index("post", Index::new("ix_title", ["title"])).concurrently();
        }

        pub fn downgrade(op: &mut Operations) {
            op.drop_index("post", "ix_title");
        }
        (op: &mut Operations) {
            op.barrier("programs of the previous release may use what it drops: column `post.title`");
            op.drop_index("post", "ix_title");
            op.drop_column("post", "title");
        }

        pub fn downgrade(op: &mut Operations) {
            op.add_column("post", Column::new("title", Type::Text));
        }
    "#]].assert_eq(&seen);
    let json = host.ok("lint a100:head --fix --no-database --format json").json();
    assert_eq!(json["fixed"], serde_json::json!([]));
}

/// A document has the standard output to itself.
#[test]
fn what_is_fixed_is_told_beside_a_document() {
    for (output, is_document) in [("sarif", true), ("github", false)] {
        let host = host(&format!("lint-fix-{output}"));
        host.ok("upgrade b200");
        let run = host.dbmigrate(&format!("lint --fix --output {output}"));
        let fixing = "Fixing migrations/versions/m_c300.rs: drop-table: `op.barrier(...)`\n";
        assert_eq!(run.errors(), fixing, "{run}");
        let is_json = serde_json::from_str::<Value>(&run.stdout).is_ok();
        assert_eq!(is_json, is_document, "{run}");
        assert!(is_document || run.stdout.lines().all(|line| line.starts_with("::")), "{run}");
    }
}

/// What a barrier doesn't settle is still found, and not fixed twice.
#[test]
fn after_a_barrier_existing_rows_are_still_reported() {
    let host = with_post("lint-fix-rows");
    let required = "op.alter_column(\"post\", \"title\", ColumnChange::new().not_null());";
    let text = revision("b200", &["a100"], "title", required, "op.drop_table(\"post\");");
    host.write("migrations/versions/m_b200.rs", &text);
    let seen = said(&host, "lint --fix") + &said(&host, "lint --fix");
    expect![[r#"
        $ lint --fix => 0
        Fixing migrations/versions/m_b200.rs: set-not-null: `op.barrier(...)`
        warning[set-not-null]: revision `b200`: alter column `title` of table `post`: rows in which it is NULL stop the upgrade
          in migrations/versions/m_b200.rs, on SQLite
          hint: give existing rows a value with `.fill(...)`
        Found in pending revision `b200`: 1 warning.
        $ lint --fix => 0
        warning[set-not-null]: revision `b200`: alter column `title` of table `post`: rows in which it is NULL stop the upgrade
          in migrations/versions/m_b200.rs, on SQLite
          hint: give existing rows a value with `.fill(...)`
        Found in pending revision `b200`: 1 warning.
    "#]].assert_eq(&seen);
}

/// The database may have begun it, or have applied what it replaces.
#[test]
fn a_revision_of_which_something_is_applied_is_not_fixed() {
    let host = host("lint-fix-replaced");
    host.ok("upgrade");
    host.ok("squash b200: --rev-id d400 -m squashed");
    let path = host.revision("squashed");
    let before = host.read(&path);
    let mut seen = said(&host, "lint d400 --fix");
    assert_eq!(host.read(&path), before);
    // And the other way round.
    host.ok("upgrade --url sqlite:new.db");
    seen += &said(&host, "lint c300 --fix --url sqlite:new.db");
    expect![[r#"
        $ lint d400 --fix => 0
        warning[required-column]: revision `d400`: add column `rank` to table `post`: the upgrade stops if table `post` has rows, which would have no value in it
          in migrations/versions/m$DAY_$TIME_d400_squashed.rs, on SQLite
          hint: give the column a default, or give existing rows a value with `.using(...)`
        warning[unwritten-column]: revision `d400`: add column `rank` to table `post`: a running program does not write it, so its inserts fail
          in migrations/versions/m$DAY_$TIME_d400_squashed.rs, on SQLite
          hint: give the column a default, or add it as nullable and make it required in a later release
        warning[drop-table]: revision `d400`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m$DAY_$TIME_d400_squashed.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in revision `d400`: 3 warnings.
        warning: revision `d400` is applied, so it is not changed: write a new one, or undo it first with `cargo dbmigrate downgrade`
        $ lint c300 --fix --url sqlite:new.db => 0
        warning[no-way-back]: revision `c300`: `downgrade` does nothing, so undoing the revision leaves its changes
          in migrations/versions/m_c300.rs, on SQLite
          hint: write `downgrade`, or say why there is none with `op.irreversible("...")`
        warning[drop-table]: revision `c300`: drop table `post`: its rows are lost, and a running program that uses it fails
          in migrations/versions/m_c300.rs, on SQLite
          hint: stop using the table in one release and drop it in a later one, after a backup
        Found in revision `c300`: 2 warnings.
        warning: revision `c300` is applied, so it is not changed: write a new one, or undo it first with `cargo dbmigrate downgrade`
    "#]].assert_eq(&seen);
}

#[test]
fn a_half_applied_revision_is_not_fixed() {
    let test = "a_half_applied_revision_is_not_fixed";
    for server in servers::in_turn(test) {
        let mut host = host(&format!("lint-fix-half-{}", server.name));
        host.env("DATABASE_URL", &server.own_database());
        let upgrade = TABLE.replace("post", "toy")
            + "op.bulk_insert(\"toy\", [\"id\"]).row((1,));
            op.run_batched(\"play\", \"toy.id\", 10, |_, _| Err(\"as asked\".into()));
            op.drop_table(\"post\");";
        let text = revision("c300", &["b200"], "c300", &upgrade, "");
        host.write("migrations/versions/m_c300.rs", &text);
        host.fails("upgrade");
        let run = host.ok("lint --fix");
        expect![[r#"
            warning: revision `c300` is half applied, so it is not changed: `cargo dbmigrate upgrade` continues it
        "#]].assert_eq(&host.plain(&run.errors()));
        assert_eq!(host.read("migrations/versions/m_c300.rs"), text);
    }
}

#[test]
fn an_applied_revision_is_not_fixed() {
    let host = host("lint-fix-applied");
    host.ok("upgrade");
    let before = host.read("migrations/versions/m_c300.rs");
    let run = host.ok("lint c300 --fix");
    expect![[r#"
        warning: revision `c300` is applied, so it is not changed: write a new one, or undo it first with `cargo dbmigrate downgrade`
    "#]].assert_eq(&run.errors());
    assert_eq!(host.read("migrations/versions/m_c300.rs"), before);
}
