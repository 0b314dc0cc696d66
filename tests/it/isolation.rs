//! What belongs to one database, or to one directory, is kept separate from the others.

use dbmigrate_tests::{Host, dump, revision};
use expect_test::expect;

const MODELS: &str = "
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
}

#[derive(Model)]
#[model(database = \"logs\")]
pub struct Event {
    #[model(primary_key)]
    pub id: i64,
}
";

const SETTINGS: &str = "migrations/dbmigrate.toml";

fn two(name: &str) -> Host {
    let host = Host::library(name, MODELS);
    host.ok("init --multidb logs");
    host.ok("migrate -m first");
    host
}

/// The directory of an additional database has no settings, so `-d` would run its revisions on the
/// default `url`, which is the other database.
#[test]
fn a_further_database_s_directory_is_not_taken_for_a_project_of_its_own() {
    let host = two("apart-directory");
    expect![[r#"
        error: `-d migrations/logs`: the settings of the database `logs` are in `migrations`
          hint: use `--database logs` instead
    "#]]
    .assert_eq(&host.fails("-d migrations/../migrations/logs upgrade").errors());
    assert!(!host.dir.join("app.db").exists());
    // The directory is recognised however it is written.
    assert_eq!(
        host.ok("-d src/../migrations heads --database default").stdout,
        host.ok("heads --database default").stdout
    );
}

/// Two databases may be in the same file, each with its own version table.
#[test]
fn a_reset_leaves_what_another_database_has_in_the_same_file() {
    let mut host = two("apart-reset");
    let of_logs = "\"sqlite:app.db\"\nversion_table = \"logs_version\"";
    host.replace(SETTINGS, "\"sqlite:logs.db\"", of_logs);
    host.ok("upgrade");
    let run = host.fails("reset --database all --yes");
    let there = dump(&host.dir.join("app.db"));
    assert!(there.contains("\"user\"") && there.contains("\"event\""), "{run}\n{there}");
    expect![[r#"
        error: `$HOST/app.db` is also the file of the database `default`
          hint: `downgrade base` and `upgrade` leave the other one as it is; give this one a file of its own to reset it
    "#]]
    .assert_eq(&host.plain(&host.fails("reset --database logs --yes").errors()));
    // With a common version table, one database would undo what the other applied, however the file
    // is named.
    host.replace(SETTINGS, "\"logs_version\"", "\"DBMIGRATE_version\"");
    host.replace(SETTINGS, "\"sqlite:app.db\"\nv", "\"sqlite:./src/../app.db\"\nv");
    expect![[r#"
        error: the databases `logs` and `default` have the same file `app.db` and the same `version_table`
          hint: give one of them another file, or a version table of its own
    "#]]
    .assert_eq(&host.fails("current --database logs").errors());
    host.env("LOGS_DATABASE_URL", "sqlite:logs.db");
    host.ok("current --database logs");
}

/// A database's revisions are only applied to that database.
#[test]
fn revisions_are_of_one_database() {
    let host = two("apart-locations");
    let settings = host.read(SETTINGS);
    let of_logs = "\"sqlite:logs.db\"\nversion_locations = [\"../versions\"]";
    host.replace(SETTINGS, "\"sqlite:logs.db\"", of_logs);
    expect![[r#"
        error: the databases `logs` and `default` both have the revisions in `migrations/versions`
          hint: give each its own directories with `version_locations`, `recursive_version_locations` and `directory` in dbmigrate.toml
    "#]]
    .assert_eq(&host.fails("undo --database logs").errors());
    host.fails("upgrade");
    host.write(SETTINGS, &settings);
    // There is one warning per command, however often the directories are read.
    host.replace(SETTINGS, "[\"versions\"]", "[\"versions\", \"./versions\"]");
    let run = host.ok("upgrade");
    assert_eq!(run.stderr.matches("counts once").count(), 1, "{run}");
    host.ok("reset --database logs --yes");
    host.write(SETTINGS, &settings);
    host.replace(
        SETTINGS,
        "recursive_version_locations = false",
        "recursive_version_locations = true",
    );
    host.ok("heads");
    host.replace(SETTINGS, "version_locations = [\"versions\"]", "version_locations = [\".\"]");
    let one = host.fails("upgrade heads --database default");
    let said = "the databases `default` and `logs` both have the revisions in `migrations/logs";
    assert!(one.stderr.contains(said), "{one}");
    let other = host.fails("upgrade heads --database logs");
    assert!(
        other.stderr.contains("it belongs to another database")
            || other.stderr.contains("both have"),
        "{other}"
    );
    let app = dump(&host.dir.join("app.db"));
    assert!(!app.contains("event"), "{app}");
}

/// A heading is only printed if something follows.
#[test]
fn what_says_nothing_has_no_heading() {
    let host = two("apart-quiet");
    assert_eq!(host.ok("-q upgrade").stdout, "");
    assert_eq!(host.ok("-q stamp heads").stdout, "");
    let heads = host.plain(&host.ok("-q heads").stdout);
    expect![[r#"
        Database `default`
        $ID1 (head)
        Database `logs`
        $ID2 (head)
    "#]]
    .assert_eq(&heads);
}

/// The settings of an additional database are in the default one's directory.
#[test]
fn a_build_script_depends_on_the_settings_of_its_database() {
    let mut host = two("apart-build-script");
    host.ok("upgrade");
    for name in ["OUT_DIR", "HOST", "TARGET", "NUM_JOBS"] {
        host.env(name, "x");
    }
    expect![[r#"
        cargo:rerun-if-changed=$HOST/migrations/logs
        cargo:rerun-if-changed=$HOST/migrations/dbmigrate.toml
        cargo:rerun-if-env-changed=LOGS_DATABASE_URL
    "#]]
    .assert_eq(&host.plain(&host.ok("upgrade --database logs").stdout));
}

/// A file that is included by relative path is another file in another directory.
#[test]
fn a_revision_that_moves_is_recorded_again() {
    let host = Host::library("apart-moved", "");
    host.ok("init");
    host.replace(
        SETTINGS,
        "version_locations = [\"versions\"]",
        "version_locations = [\"versions\", \"blog\"]",
    );
    let text = revision("a1", &[], "a", "op.execute(include_str!(\"a1.sql\"));", "");
    host.write("migrations/blog/m_a1.rs", &text);
    host.write("migrations/blog/a1.sql", "SELECT 'blog'");
    host.write("migrations/versions/a1.sql", "SELECT 'versions'");
    assert!(host.ok("upgrade --sql").stdout.contains("SELECT 'blog';"));
    let path = |text: &str| host.dir.join("migrations").join(text);
    std::fs::rename(path("blog/m_a1.rs"), path("versions/m_a1.rs")).unwrap();
    let run = host.ok("upgrade --sql");
    assert!(run.stdout.contains("SELECT 'versions';"), "{run}");
}

/// A module next to a revision is found in the same way in every directory of revisions.
#[test]
fn a_revision_in_another_directory_may_have_a_module_of_its_own() {
    let host = Host::library("apart-module", "");
    host.ok("init");
    host.replace(
        SETTINGS,
        "version_locations = [\"versions\"]",
        "version_locations = [\"versions\", \"blog\"]",
    );
    for (dir, id) in [("versions", "a1"), ("blog", "b1")] {
        let text = revision(id, &[], id, "op.execute(part::SQL);", "");
        let module = format!("prelude::*;\n\n#[path = \"m_{id}/part.rs\"]\nmod part;");
        let text = text.replace("prelude::*;", &module);
        host.write(&format!("migrations/{dir}/m_{id}.rs"), &text);
        let part = format!("pub const SQL: &str = \"SELECT '{dir}'\";\n");
        host.write(&format!("migrations/{dir}/m_{id}/part.rs"), &part);
    }
    let script = host.ok("upgrade heads --sql").stdout;
    assert!(script.contains("SELECT 'versions';") && script.contains("SELECT 'blog';"), "{script}");
    host.write("src/lib.rs", "#[path = \"../migrations/mod.rs\"]\npub mod migrations;\n");
    let run = host.cargo("check --quiet");
    assert_eq!(run.code, 0, "{run}");
}

/// An id may contain capital letters.
#[test]
fn a_host_without_warnings_takes_every_id() {
    let host = Host::library("apart-id", "");
    host.ok("init");
    host.ok("revision --rev-id ABC");
    host.write(
        "src/lib.rs",
        "#![deny(warnings)]\n#[path = \"../migrations/mod.rs\"]\npub mod migrations;\n",
    );
    let run = host.cargo("check --quiet");
    assert_eq!(run.code, 0, "{run}");
}

/// The last table of the file that `init` writes is `dependencies`, so what is added at the end of
/// the file is part of that table.
#[test]
fn a_setting_among_the_dependencies_is_told_from_a_crate() {
    let host = Host::library("apart-end", MODELS);
    host.ok("init --multidb logs");
    for line in ["exclude = [\"user\"]", "lock_timeout = 5", "timezone = \"local\""] {
        let text =
            "[dependencies]\n".to_owned() + line + "\n[databases.logs]\nurl = \"sqlite:l.db\"\n";
        host.write(SETTINGS, &text);
        let run = host.dbmigrate("migrate --dry-run");
        let key = line.split(' ').next().unwrap();
        assert!(
            run.code == 3 && run.stderr.contains(SETTINGS) && run.stderr.contains(key),
            "{run}"
        );
    }
}

/// Otherwise the foreign key would refer to a missing column.
#[test]
fn a_key_to_a_column_that_is_left_out_is_out_with_it() {
    let host = Host::library(
        "apart-key",
        "use dbmigrate_runtime::Model;\n\
         #[derive(Model)]\npub struct User {\n    #[model(primary_key)]\n    pub id: i64,\n    \
         #[model(unique)]\n    pub code: String,\n}\n\
         #[derive(Model)]\npub struct Post {\n    #[model(primary_key)]\n    pub id: i64,\n    \
         #[model(references = User::code)]\n    pub user: String,\n}\n",
    );
    host.ok("init");
    host.replace(SETTINGS, "exclude = []", "exclude = [\"user.code\"]");
    host.ok("migrate -m first");
    host.ok("upgrade");
    host.ok("check");
    let made = dump(&host.dir.join("app.db"));
    assert!(made.contains("\"post\"") && !made.contains("REFERENCES"), "{made}");
}

/// The link stays in place, and the file that it leads to is written.
#[cfg(unix)]
#[test]
fn a_list_that_is_a_link_stays_one() {
    let host = Host::library("apart-link", "");
    host.ok("init");
    let (list, real) = (host.dir.join("migrations/mod.rs"), host.dir.join("list.rs"));
    std::fs::rename(&list, &real).unwrap();
    std::os::unix::fs::symlink("../list.rs", &list).unwrap();
    host.ok("revision --rev-id a1");
    assert!(list.is_symlink() && host.read("list.rs").contains("_a1;"));
}
