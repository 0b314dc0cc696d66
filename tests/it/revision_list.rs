//! The list of revisions in `mod.rs`, if it doesn't match the files.

use std::fs;

use dbmigrate_tests::Host;
use expect_test::expect;

const LIBRARY: &str = "#[derive(dbmigrate_runtime::Model)]\npub struct User { \
                       #[model(primary_key)] pub id: i64 }\n\
                       #[path = \"../migrations/mod.rs\"]\npub mod migrations;\n";

/// As after a conflict that was resolved by taking one side.
#[test]
fn a_list_that_lacks_a_revision_is_not_taken_for_whole() {
    let host = Host::library("list", LIBRARY);
    host.ok("init");
    host.write(
        "migrations/dbmigrate.toml",
        "file_template = \"m_{rev}\"\nurl = \"sqlite:app.db\"\n",
    );
    host.ok("migrate --rev-id a1");
    host.ok("revision --rev-id b2");
    host.ok("revision --rev-id c3");
    host.ok("upgrade");
    let list = host.read("migrations/mod.rs");
    host.ok("check");
    host.replace("migrations/mod.rs", "    m_c3;\n", "");
    // The program doesn't compile without the newest revision, although no other one needs it.
    let lacks = |said: &str| {
        let run = host.cargo("check --offline");
        assert!(run.code != 0 && run.stderr.contains(said), "{run}");
    };
    lacks(
        "the list of revisions in `mod.rs` lacks `m_c3`, whose file is beside the others: \
         `cargo dbmigrate migrate` brings it in line with the files",
    );
    let run = host.dbmigrate("check");
    assert_eq!(run.code, 1, "{run}");
    expect![[r#"
        The list in migrations/mod.rs does not match the revision files:
          it lacks migrations/versions/m_c3.rs
    "#]]
    .assert_eq(&run.stdout);
    assert!(run.stderr.contains("`cargo dbmigrate migrate` brings it in line"), "{run}");
    // Nor without one that another one follows, in a place that the compiler doesn't check.
    host.replace("migrations/mod.rs", "    m_b2;\n", "    m_c3;\n");
    fs::rename(host.dir.join("migrations/versions/m_b2.rs"), host.dir.join("m_b2.rs")).unwrap();
    lacks(
        "the list of revisions in `mod.rs` lacks `b2`, which `m_c3` follows or depends on: \
         `cargo dbmigrate migrate` brings it in line with the files",
    );
    fs::rename(host.dir.join("m_b2.rs"), host.dir.join("migrations/versions/m_b2.rs")).unwrap();
    let run = host.dbmigrate("check");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("it lacks migrations/versions/m_b2.rs"), "{run}");
    assert!(run.stderr.contains("`cargo dbmigrate migrate` brings it in line"), "{run}");
    // The suggested command fixes it.
    let run = host.ok("migrate");
    assert_eq!(run.stdout, "No changes in schema detected.\n");
    assert_eq!(host.read("migrations/mod.rs"), list);
    host.ok("check");
}
