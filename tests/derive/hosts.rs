//! Applications of every edition and with strict lints: they compile without a warning, and their
//! artifacts contain the records of their models.

use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::record::{self, Scan};

use crate::fixture::{Fixture, artifacts};

/// Models in an application with strict lints.
const HOST: &str = r#"
#![deny(warnings, missing_docs, unused_qualifications, unreachable_pub, single_use_lifetimes)]
#![deny(rust_2018_idioms, rust_2021_compatibility, let_underscore_drop, unused_results)]
#![deny(missing_debug_implementations, elided_lifetimes_in_paths, unused_lifetimes)]
#![forbid(unsafe_code)]
//! A host.

use dbmigrate_runtime::{ColumnType, Columns, Model};

/// A public model.
#[derive(Debug, Model)]
#[model(unique(name, kind))]
pub struct Public<'a> {
    /// The key.
    #[model(primary_key)]
    pub id: i64,
    /// Text.
    #[model(length = 30)]
    pub name: &'a str,
    /// Which.
    pub kind: Kind,
}

/// Which.
#[derive(Debug, Clone, Copy, ColumnType)]
pub enum Kind {
    /// This.
    This,
    /// That.
    That,
}

mod inner {
    #[derive(dbmigrate_runtime::Model)]
    struct Private {
        #[model(primary_key)]
        id: i64,
        #[model(references = crate::Public, on_delete = set_null)]
        public_id: Option<i64>,
        #[model(flatten)]
        part: super::Part,
    }
}

#[derive(Debug, Columns)]
struct Part {
    part: i8,
}

/// A function.
pub fn generic<T>(value: T) -> T {
    #[derive(Model)]
    struct InFunction {
        #[model(primary_key)]
        r#type: i64,
    }
    value
}
"#;

#[test]
fn strict_hosts_of_every_edition() {
    for edition in ["2018", "2021", "2024"] {
        let name = format!("derive_host_{edition}");
        let fixture = Fixture::new(&name, edition, "");
        fixture.write("src/lib.rs", HOST);
        let messages = fixture.cargo("check", &[]);
        let said: Vec<_> = messages
            .iter()
            .filter(|value| value["target"]["name"] == name.as_str())
            .filter_map(|value| value["message"]["rendered"].as_str())
            .collect();
        assert!(said.is_empty(), "{}", said.concat());

        let paths =
            |scan: &Scan| scan.records.iter().map(|record| record.path.clone()).collect::<Vec<_>>();
        let host = scanned(&artifacts(&messages, &name, ".rmeta")[0]);
        let mut found = paths(&host);
        found.sort();
        let expected = ["InFunction", "Public", "inner::Private"];
        assert_eq!(found, expected.map(|expected| format!("{name}::{expected}")));
        assert!(!host.canary && host.damaged.is_empty());

        let runtime = scanned(&artifacts(&messages, "dbmigrate_runtime", ".rmeta")[0]);
        assert!(runtime.canary && runtime.damaged.is_empty());
        assert_eq!(paths(&runtime), [""; 0]);
    }
}

/// A program with those models.
fn program(name: &str, features: &str) -> Fixture {
    let fixture = Fixture::new(name, "2021", features);
    fixture.write("src/main.rs", &format!("{HOST}fn main() {{ println!(\"ok\") }}"));
    fixture
}

#[test]
fn a_shipped_program_has_no_record() {
    let name = "derive_shipped";
    let messages = program(name, "").cargo("build", &[]);
    let scan = scanned(&artifacts(&messages, name, "")[0]);
    assert_eq!(scan, Scan::default());
}

/// For toolchains whose metadata doesn't contain the values of statics.
#[cfg(unix)]
#[test]
fn an_object_file_has_the_records_with_the_feature_embed() {
    let name = "derive_embed";
    let fixture = program(name, "\"embed\"");
    let messages = fixture.cargo("rustc", &["--", "--emit=obj", "-Clinker=true"]);
    // Cargo reports no program, since none was linked; its object file is next to the libraries.
    let library = artifacts(&messages, "dbmigrate_runtime", ".rlib").remove(0);
    let dir = fs::read_dir(library.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_object = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_str().unwrap();
        file.starts_with(name) && file.ends_with(".o")
    };
    let mut objects: Vec<_> = dir.filter(is_object).collect();
    objects.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    let scan = scanned(objects.last().unwrap());
    assert_eq!((scan.records.len(), scan.damaged), (3, Vec::new()));
}

fn scanned(path: &Path) -> Scan {
    record::scan(&fs::read(path).unwrap())
}
