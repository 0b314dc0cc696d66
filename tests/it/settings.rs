//! What dbmigrate.toml sets, where it shows.

use dbmigrate_tests::{Host, dump, sql};

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
    // Whatever its name is, it is no table that models or migrations miss, nor one of others.
    sql(&host.dir.join("app.db"), "CREATE TABLE theirs (x)");
    for command in ["check -v", "diff -v database models"] {
        let run = host.ok(&format!("{command} -d db/history"));
        assert!(run.stdout.ends_with("Not made by the migrations:\n  table `theirs`\n"), "{run}");
    }
    host.ok("downgrade -d db/history base");
    assert_eq!(host.ok("current -d db/history").stdout, "");
}
