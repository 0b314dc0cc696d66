//! Revision files in several directories.

use dbmigrate_tests::{Host, revision};
use expect_test::expect;

#[test]
fn revisions_in_several_directories() {
    let host = Host::library("locations", "");
    host.ok("init");
    host.replace(
        "migrations/dbmigrate.toml",
        "version_locations = [\"versions\"]",
        "version_locations = [\"versions\", \"blog\", \"../shop/versions\"]",
    );
    // In an order that doesn't depend on the clock.
    host.replace(
        "migrations/dbmigrate.toml",
        "\"m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}\"",
        "\"m_{rev}_{slug}\"",
    );
    expect![[r#"
        warning: `version_locations` names `blog`, but there is no directory `migrations/blog`
        warning: `version_locations` names `../shop/versions`, but there is no directory `shop/versions`
        error: there are several version locations, and the new revision follows no revision in them: `versions`, `blog`, `../shop/versions`
          hint: choose one with --version-path
    "#]]
    .assert_eq(&host.fails("revision -m first").errors());
    expect![[r#"
        warning: `version_locations` names `blog`, but there is no directory `migrations/blog`
        warning: `version_locations` names `../shop/versions`, but there is no directory `shop/versions`
        error: --version-path elsewhere: that is not one of the version locations `versions`, `blog`, `../shop/versions`
          hint: add it to `version_locations` in dbmigrate.toml
    "#]]
    .assert_eq(&host.fails("revision -m first --version-path elsewhere").errors());
    host.ok("revision -m first --rev-id a1 --version-path versions");
    host.ok("revision -m posts --rev-id b1 --head base --branch-label blog --version-path blog");
    // As a path relative to the working directory.
    host.ok("revision -m wares --rev-id c1 --head base --version-path shop/versions");
    // A revision's file is put into the directory of its parent.
    host.ok("revision -m comments --rev-id b2 --head blog@head");
    let file = host.list("migrations/blog");
    assert_eq!(file.len(), 2, "{file:?}");
    assert_eq!(host.list("shop/versions").len(), 1);
    let list = host.read("migrations/mod.rs");
    let list: Vec<&str> = list.lines().filter(|line| line.starts_with("    m_")).collect();
    assert_eq!(
        list,
        [
            "    m_a1_first;",
            "    m_b1_posts = \"blog/m_b1_posts.rs\";",
            "    m_b2_comments = \"blog/m_b2_comments.rs\";",
            "    m_c1_wares = \"../shop/versions/m_c1_wares.rs\";",
        ]
    );
    expect![[r#"
        Running upgrade <base> -> a1, first
        Running upgrade <base> -> b1, posts
        Running upgrade b1 -> b2, comments
        Running upgrade <base> -> c1, wares
    "#]]
    .assert_eq(&host.ok("upgrade heads").stdout);
    // This compiles within the package as well, whatever its lints.
    host.write(
        "src/lib.rs",
        "#![deny(warnings)]\n#[path = \"../migrations/mod.rs\"]\nmod migrations;\n\
         #[test]\nfn all() {\n    assert_eq!(migrations::migrator().modules().len(), 4);\n}\n",
    );
    let run = host.cargo("test --quiet --lib");
    assert_eq!(run.code, 0, "{run}");

    let text = revision("d1", &[], "twice", "", "");
    host.write("migrations/versions/m1_same.rs", &text);
    host.write("migrations/blog/m1_same.rs", &text);
    expect![[r#"
        error: two revision files have the same name: migrations/versions/m1_same.rs and migrations/blog/m1_same.rs
          hint: rename one of them: the names become modules
    "#]]
    .assert_eq(&host.fails("heads").errors());
}

#[test]
fn directories_within_a_location() {
    let host = Host::library("nested", "");
    host.ok("init");
    let template = "\"m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}\"";
    host.replace("migrations/dbmigrate.toml", template, "\"{year}/m_{rev}\"");
    let refused = host.fails("revision --rev-id a1");
    assert!(refused.stderr.contains("which is in a directory\n"), "{refused}");
    host.replace(
        "migrations/dbmigrate.toml",
        "recursive_version_locations = false",
        "recursive_version_locations = true",
    );
    host.ok("revision --rev-id a1");
    let year = host.list("migrations/versions");
    assert!(year.len() == 1 && year[0].starts_with("20"), "{year:?}");
    assert_eq!(host.list(&format!("migrations/versions/{}", year[0])), ["m_a1.rs"]);
    // Flat and nested files form one history, and a file that is reached twice counts once.
    host.write("migrations/versions/m_b1.rs", &revision("b1", &["a1"], "flat", "", ""));
    host.write("migrations/versions/old/ages/m_c1.rs", &revision("c1", &["b1"], "deep", "", ""));
    host.replace(
        "migrations/dbmigrate.toml",
        "[\"versions\"]",
        "[\"versions\", \"versions/old\", \"./versions\"]",
    );
    let run = host.ok("history");
    expect![[r#"
        b1 -> c1 (head), deep
        a1 -> b1, flat
        <base> -> a1, empty message
    "#]]
    .assert_eq(&run.stdout);
    assert_eq!(
        run.errors(),
        "warning: `version_locations` names one directory twice, as `versions` and `./versions`; \
         it counts once\n"
    );
    host.write("migrations/versions/old/ages/m_c1.rs", &revision("c1", &["gone"], "deep", "", ""));
    let broken = host.fails("history");
    assert!(broken.stderr.contains("old/ages/m_c1.rs"), "{broken}");

    for (locations, what) in [("[]", "names no directory"), ("[\"/abs\"]", "not a relative path")] {
        let text = format!("version_locations = {locations}\n");
        host.write("migrations/dbmigrate.toml", &text);
        let refused = host.fails("history");
        assert!(refused.stderr.contains(what), "{refused}");
    }
}
