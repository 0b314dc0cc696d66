//! Crates with lints that generated models could violate.

use std::fs;

use dbmigrate_tests::{Host, manifest, sql};

const MANIFEST: &str = "\n[lints.rust]\nmissing_docs = { level = \"forbid\", priority = 1 }\n";

/// The beginning of a crate, more of its manifest, and how the models are included.
const CRATES: [(&str, &str, &str); 4] = [
    ("#![forbid(unsafe_code)]\n#![deny(warnings)]\n", "", "\npub mod models;\n"),
    ("//! A crate.\n#![deny(warnings, missing_docs)]\n", "", "\nmod models;\n"),
    (
        "//! A crate.\n#![forbid(missing_docs)]\n#![deny(\n    warnings,\n    \
         missing_copy_implementations,\n    missing_debug_implementations,\n    unreachable_pub\n)]\n",
        "",
        "\n#[allow(unreachable_pub)]\nmod models;\n",
    ),
    ("//! A crate.\n", MANIFEST, "\nmod models;\n"),
];

#[test]
fn crates_with_strict_lints_are_adopted() {
    let host = Host::library("adopt-strict", "");
    for (root, more, included) in CRATES {
        for path in ["app.db", "src/models.rs"] {
            let _ = fs::remove_file(host.dir.join(path));
        }
        let _ = fs::remove_dir_all(host.dir.join("migrations"));
        let table =
            "CREATE TABLE users (id INTEGER PRIMARY KEY, mood TEXT CHECK (mood IN ('ok', 'sad')))";
        sql(&host.dir.join("app.db"), table);
        host.write("Cargo.toml", &manifest("adopt-strict", more));
        host.write("src/lib.rs", root);
        host.ok("init");
        let run = host.ok("adopt");
        assert!(run.stdout.ends_with("version table and database agree.\n"), "{run}");
        assert!(!run.stderr.contains("warning"), "{run}");
        assert_eq!(host.read("src/lib.rs"), format!("{root}{included}"));
    }
}
