//! The crates as they are published. `.ci/run` also builds them from what would be uploaded.

use std::process::Command;
use std::{env, fs};

use dbmigrate_tests::{Run, repository};
use serde_json::Value;

#[test]
fn every_published_crate_has_what_its_page_shows() {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version=1", "--offline"]);
    let run = Run::of(cargo.current_dir(repository()));
    let metadata: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let packages = metadata["packages"].as_array().expect("the workspace has packages");
    let published: Vec<&Value> =
        packages.iter().filter(|package| package["publish"].is_null()).collect();
    assert_eq!(published.len(), 3);
    for package in published {
        let name = package["name"].as_str().expect("a package has a name");
        for key in ["description", "license", "repository", "rust_version"] {
            assert!(package[key].is_string(), "{name}: {key}");
        }
        let count = |key: &str| package[key].as_array().map_or(0, Vec::len);
        assert!((1..=5).contains(&count("keywords")), "{name}");
        assert!((1..=5).contains(&count("categories")), "{name}");
        let root = repository().join(name);
        for file in
            [package["readme"].as_str().unwrap_or_default(), "LICENSE-MIT", "LICENSE-APACHE"]
        {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            assert!(!text.is_empty(), "{name}: {file}");
        }
    }
}
