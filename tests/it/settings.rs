//! The settings in dbmigrate.toml and their effects.

use dbmigrate_tests::{Host, dump, repository, revision, sql};
use expect_test::expect;

#[test]
fn names_of_files_and_of_the_version_table_are_settings() {
    let host = Host::library("settings", "");
    host.ok("init -d db/history");
    host.replace(
        "db/history/dbmigrate.toml",
        "\"m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}\"",
        "\"m{epoch}_{rev}_{year}_{slug}\"",
    );
    host.replace(
        "db/history/dbmigrate.toml",
        "truncate_slug_length = 40",
        "truncate_slug_length = 12",
    );
    host.replace("db/history/dbmigrate.toml", "\"dbmigrate_version\"", "\"who was here\"");
    host.ok("revision -d db/history -m \"some words and more\" --rev-id a1");
    let [file] = host.list("db/history/versions").try_into().unwrap();
    let parts: Vec<&str> = file.split('_').collect();
    let (epoch, year) = (parts[0].strip_prefix('m').unwrap(), parts[2]);
    assert!(epoch.parse::<u64>().unwrap() > 1_700_000_000, "{file}");
    assert!(year.parse::<u64>().unwrap() > 2023, "{file}");
    assert_eq!((parts[1], &parts[3..]), ("a1", ["some", "words.rs"].as_slice()), "{file}");
    host.ok("upgrade -d db/history");
    let dump = dump(&host.dir.join("app.db"));
    assert!(dump.contains("who was here") && !dump.contains("dbmigrate_version"), "{dump}");
    assert_eq!(host.ok("current -d db/history").stdout, "a1 (head)\n");
    // Whatever the version table's name is, it counts neither as missing nor as a table of others.
    sql(&host.dir.join("app.db"), "CREATE TABLE theirs (x)");
    for command in ["check -v", "diff -v database models"] {
        let run = host.ok(&format!("{command} -d db/history"));
        assert!(
            run.stdout.ends_with("Not described by the migrations:\n  table `theirs`\n"),
            "{run}"
        );
    }
    host.ok("downgrade -d db/history base");
    assert_eq!(host.ok("current -d db/history").stdout, "");
}

/// The time zone affects the file's name and the header, but not the seconds since 1970.
#[test]
fn times_are_in_the_zone_of_the_settings() {
    let mut host = Host::library("zones", "");
    host.ok("init");
    let set = |host: &Host, zone: &str| {
        let config =
            format!("file_template = \"m_{{hour}}_{{epoch}}_{{rev}}\"\ntimezone = {zone:?}\n");
        host.write("migrations/dbmigrate.toml", &config);
    };
    let zone = |host: &Host, zone: &str| {
        set(host, zone);
        let id = format!("r{}", host.revisions().len());
        host.ok(&format!("revision --head base --splice --rev-id {id}"));
        let path = host.revision(&id);
        let text = host.read(&path);
        let date = text.lines().find_map(|line| line.strip_prefix("//! Create Date: ")).unwrap();
        let parts: Vec<&str> = path.split('_').collect();
        let (hour, epoch): (u64, u64) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
        // The difference between the clock and UTC, in hours.
        ((24 + hour - epoch / 3600 % 24) % 24, date.rsplit(' ').next().unwrap().to_owned())
    };
    assert_eq!(zone(&host, "UTC"), (0, "UTC".to_owned()));
    assert_eq!(zone(&host, "asia/TOKYO"), (9, "JST".to_owned()));
    assert_eq!(zone(&host, "Etc/GMT-14"), (14, "+14".to_owned()));
    host.env("TZ", "Asia/Tokyo");
    assert_eq!(zone(&host, "Local"), (9, "JST".to_owned()));
    host.env("TZ", "Atlantis/Poseidonis");
    for wrong in ["local", "Mars/Base", "Etc/Unknown", ""] {
        set(&host, wrong);
        let run = host.fails("revision --head base --splice");
        let message = format!(
            "error: `timezone = {wrong:?}` of migrations/dbmigrate.toml is not a time zone"
        );
        assert!(run.stderr.starts_with(&message), "{run}");
        assert!(run.stderr.contains("such as `UTC` or `Europe/Berlin`"), "{run}");
    }
    assert_eq!(host.revisions().len(), 4);
    // A command that needs no clock doesn't need a time zone.
    host.ok("heads");
}

#[test]
fn an_unknown_placeholder_of_a_file_s_name_is_said_with_the_known_ones() {
    let host = Host::library("file-template", "");
    host.ok("init");
    let fails = |template: &str| {
        host.write("migrations/dbmigrate.toml", &format!("file_template = {template:?}\n"));
        let run = host.fails("migrate -m x");
        assert_eq!(host.revisions(), [""; 0]);
        run.stderr
    };
    expect![[r#"
        error: unknown placeholder `{foo}` in `file_template = "m{year}_{foo}"` of migrations/dbmigrate.toml
          hint: known are `{year}`, `{month}`, `{day}`, `{hour}`, `{minute}`, `{second}`, `{epoch}`, `{rev}`, `{slug}`
    "#]]
    .assert_eq(&fails("m{year}_{foo}"));
    assert!(fails("m{}").contains("unknown placeholder `{}`"));
    host.write("migrations/dbmigrate.toml", "file_template = \"m{rev}_{year\"\n");
    let run = host.fails("revision --rev-id a1");
    assert!(run.stderr.contains("gives `ma1_{year`, which can't be a module's name"), "{run}");
}

/// The transaction and the timeout of a run are settings, which flags override.
#[test]
fn transactions_and_patience_are_settings() {
    let host = Host::library("transactions", "");
    host.ok("init");
    let module = |id: &str, parents: &[&str], sql: &str, back: &str| {
        let [up, down] = [sql, back].map(|text| format!("op.execute({text:?});"));
        host.write(
            &format!("migrations/versions/m_{id}.rs"),
            &revision(id, parents, id, &up, &down),
        );
    };
    module("a1", &[], "SELECT 1", "DELETE FROM nowhere");
    module("b2", &["a1"], "INSERT INTO nowhere VALUES (1)", "SELECT 1");
    let current = || host.ok("current").stdout;
    host.fails("upgrade");
    assert_eq!(current(), "");
    let config = "transaction = \"each\"\nlock_timeout = 1\n";
    host.write("migrations/dbmigrate.toml", config);
    host.fails("upgrade --transaction run");
    assert_eq!(current(), "");
    host.fails("upgrade");
    assert_eq!(current(), "a1\n");
    host.fails("reset --yes");
    assert_eq!(current(), "a1\n");
    let script = |args: &str| host.ok(args).stdout.matches("BEGIN").count();
    assert_eq!(script("upgrade --sql base:b2"), 2);
    assert_eq!(script("upgrade --sql base:b2 --transaction run"), 1);
    assert_eq!(script("downgrade --sql b2:base"), 2);

    // Another process is in the middle of its work.
    let path = host.dir.join("app.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for command in ["upgrade", "downgrade base", "stamp base"] {
        let run = host.fails(command);
        assert!(run.stderr.contains("waiting for up to 1 seconds"), "{command}\n{run}");
    }
    let run = host.fails("upgrade --lock-timeout 2");
    assert!(run.stderr.contains("waiting for up to 2 seconds"), "{run}");
    let run = host.dbmigrate("upgrade --all app.db");
    assert!(run.stderr.contains("waiting for up to 1 seconds"), "{run}");
    drop(other);
    // The downgrade of the second revision works, but that of the first one doesn't.
    module("b2", &["a1"], "SELECT 2", "SELECT 1");
    host.ok("upgrade");
    host.fails("redo -n 2");
    assert_eq!(current(), "a1\n");

    // The largest possible timeout.
    host.write("migrations/dbmigrate.toml", "lock_timeout = 9223372036854775807\n");
    host.ok("stamp base");
    host.ok(&format!("upgrade a1 --lock-timeout {}", u64::MAX));

    for (wrong, message) in [
        ("transaction = \"all\"", "unknown variant `all`, expected `run` or `each`"),
        ("lock_timeout = -1", "dbmigrate.toml:1:16: invalid value: integer `-1`"),
    ] {
        host.write("migrations/dbmigrate.toml", wrong);
        let run = host.fails("heads");
        assert!(run.stderr.contains(message), "{run}");
    }
}

/// The built-in template with a licence at the top and a helper at the end, and an invalid one.
#[test]
fn a_template_of_one_s_own_makes_the_revisions() {
    let host = Host::library(
        "templates",
        "#[derive(dbmigrate_runtime::Model)]\n\
         pub struct User {\n    #[model(primary_key)]\n    pub id: i64,\n}\n",
    );
    host.ok("init");
    let built_in = repository().join("cargo-dbmigrate/src/render/revision.rs.tmpl");
    let built_in = std::fs::read_to_string(built_in).unwrap();
    let template = built_in.replace("{${upgrade}}", "{\n    note(op);\n    ${upgrade}\n}")
        + "\nfn note(op: &mut Operations) {\n    op.execute(\"SELECT '$$'\");\n}\n";
    let config = host.read("migrations/dbmigrate.toml");
    let set = |template: &str| {
        let to = format!("module_template = {template:?}");
        host.write("migrations/dbmigrate.toml", &config.replace("module_template = \"\"", &to));
    };
    set("revision.rs.tmpl");

    // Reported before the host is built, and nothing is written.
    expect![[r#"
        error: failed to read the template `migrations/revision.rs.tmpl`: No such file or directory (os error 2)
          hint: `module_template` of migrations/dbmigrate.toml names it; "" is the built-in one
    "#]]
    .assert_eq(&host.fails("migrate -m x").stderr);
    host.write("migrations/revision.rs.tmpl", &template.replace("${depends_on}", "${needs}"));
    let run = host.fails("migrate -m x");
    let wrong = "template `migrations/revision.rs.tmpl:13`: unknown placeholder `${needs}`";
    assert!(run.stderr.contains(wrong), "{run}");
    host.write("migrations/revision.rs.tmpl", &template.replace("${branch_labels}", "&[]"));
    let run = host.fails("revision --branch-label mine");
    let wrong =
        "template `migrations/revision.rs.tmpl:12`: `BRANCH_LABELS` does not have the value that";
    assert!(run.stderr.contains(wrong), "{run}");
    assert_eq!(host.revisions(), [""; 0]);

    host.write("migrations/revision.rs.tmpl", &template);
    host.ok("migrate -m \"add user\" --rev-id a1 --branch-label mine");
    let text = host.read(&host.revision("add_user"));
    assert!(text.contains("{\n    note(op);\n    // ### commands auto generated"), "{text}");
    host.ok("upgrade");
    assert!(dump(&host.dir.join("app.db")).contains("CREATE TABLE \"user\""));
    assert_eq!(host.ok("heads").stdout, "a1 (mine) (head)\n");
    host.ok("downgrade base");
    // A dry run uses the template, too.
    let run = host.ok("revision --dry-run --head base --splice");
    assert!(run.stdout.contains("note(op);\n}\n"), "{run}");
}

/// A history for two databases is warned of what either of them does, whichever is the project's.
#[test]
fn every_database_of_a_history_is_asked_for_what_it_compares_as_text() {
    let model = "use dbmigrate_runtime::Model;\n\n#[derive(Model)]\npub struct Offer {\n    \
                 #[model(primary_key)]\n    pub id: i64,\n    \
                 #[model(type = Decimal(20, 2), index)]\n    pub price: String,\n}\n";
    let host = Host::library("compared", model);
    host.ok("init --dialect postgres --dialect sqlite");
    let warned = |args: &str| host.ok(args).errors();
    expect![[r#"
        warning: column `offer.price` is decimal(20, 2), which SQLite stores as text because its numbers are exact only to 15 digits; index `ix_offer_price` compares it as text, so `10.5` sorts before `9.5`, and `9.50` is not equal to `9.5`
          hint: declare at most 15 digits, as in `type = Decimal(15, 2)`, or compare `CAST(price AS REAL)` if 15 digits are enough
    "#]]
    .assert_eq(&warned("migrate -m both --dry-run"));
    host.replace("migrations/dbmigrate.toml", "[\"postgres\", \"sqlite\"]", "[\"postgres\"]");
    assert_eq!(warned("migrate -m one --dry-run"), "");
}
