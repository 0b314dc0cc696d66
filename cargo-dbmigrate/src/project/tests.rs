//! Workspaces on disk, and which package is selected as the project.

use std::fs;

use super::*;

/// A directory of files that is removed at the end.
struct Files(PathBuf);

impl Files {
    fn new(name: &str, files: &[(&str, &str)]) -> Files {
        let dir = std::env::temp_dir().join(format!("dbmigrate-{name}-{}", std::process::id()));
        for (path, text) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Files(canonical(&dir))
    }

    fn find(&self, manifest: &str, package: Option<&str>) -> Result<Project> {
        let mut global = Global::default();
        global.cargo.manifest_path = Some(self.0.join(manifest));
        global.cargo.package = package.map(str::to_owned);
        Project::find(&global)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ROOT: &str = "[workspace]\nmembers = ['crates/*', 'app']\nexclude = ['crates/out']\n\
                    package.edition = '2021'\n";

fn workspace(name: &str) -> Files {
    Files::new(
        name,
        &[
            ("Cargo.toml", ROOT),
            ("app/Cargo.toml", "package.name = 'app'\npackage.edition.workspace = true\n"),
            ("app/migrations/mod.rs", ""),
            ("crates/models/Cargo.toml", "[package]\nname = 'models'\nedition = '2024'\n"),
            ("crates/out/Cargo.toml", "[package]\nname = 'out'\n"),
        ],
    )
}

#[test]
fn the_one_member_with_migrations_is_the_project() {
    let files = workspace("one-member");
    let project = files.find("Cargo.toml", None).unwrap();
    assert_eq!((project.package.as_str(), project.edition.as_str()), ("app", "2021"));
    assert_eq!(project.workspace_root, files.0);
    assert_eq!(project.migrations_dir, files.0.join("app/migrations"));
}

#[test]
fn a_member_knows_its_workspace() {
    let files = workspace("member");
    let project = files.find("crates/models/Cargo.toml", None).unwrap();
    assert_eq!((project.package.as_str(), project.edition.as_str()), ("models", "2024"));
    assert_eq!(project.workspace_root, files.0);
}

#[test]
fn an_excluded_package_is_its_own_workspace() {
    let files = workspace("excluded");
    let project = files.find("crates/out/Cargo.toml", None).unwrap();
    assert_eq!((project.package.as_str(), project.edition.as_str()), ("out", "2015"));
    assert_eq!(project.workspace_root, files.0.join("crates/out"));
}

#[test]
fn an_unknown_package_is_answered_with_the_known_ones() {
    let files = workspace("unknown");
    let err = files.find("Cargo.toml", Some("nope")).unwrap_err();
    assert!(err.message().starts_with("no package `nope` in the workspace of "), "{err}");
    assert_eq!(err.get_hint(), Some("its packages are `app`, `models`"));
}

#[test]
fn two_members_with_migrations_are_candidates() {
    let files = workspace("two");
    fs::create_dir_all(files.0.join("crates/models/migrations")).unwrap();
    let err = files.find("Cargo.toml", None).unwrap_err();
    assert_eq!(err.message(), "several packages of the workspace have migrations");
    assert_eq!(err.get_hint(), Some("choose one with `-p`: `app`, `models`"));
    assert_eq!(files.find("Cargo.toml", Some("models")).unwrap().package, "models");
}

#[test]
fn the_package_with_the_models_is_not_the_project() {
    let files = workspace("models");
    assert_eq!(files.find("app/Cargo.toml", Some("models")).unwrap().package, "app");
}

#[test]
fn a_broken_manifest_is_shown_with_its_place() {
    let files = Files::new("broken", &[("Cargo.toml", "[package]\nname = \n")]);
    let err = files.find("Cargo.toml", None).unwrap_err();
    assert!(err.message().contains("Cargo.toml:2:"), "{err}");
}

#[test]
fn patterns() {
    for (name, pattern, expected) in [
        ("models", "*", true),
        ("models", "mod*", true),
        ("models", "*els", true),
        ("models", "m?dels", true),
        ("models", "m[ao]dels", true),
        ("models", "mod", false),
        ("", "?", false),
    ] {
        assert_eq!(manifest::fits(name.as_bytes(), pattern.as_bytes()), expected, "{pattern}");
    }
}

#[test]
fn a_directory_of_another_tool_is_not_the_migrations() {
    let of_other = ("migrations/1_a.sql", "");
    let manifest = ("Cargo.toml", "package.name = 'app'\n");
    let files = Files::new("of-another-tool", &[manifest, of_other]);
    let found = || files.find("Cargo.toml", None);
    let is = |name: &str| assert_eq!(found().unwrap().migrations_dir, files.0.join(name));
    let write = |path: &str| {
        fs::create_dir_all(files.0.join(path).parent().unwrap()).unwrap();
        fs::write(files.0.join(path), "").unwrap();
    };
    is("migrations");
    // A template.
    write("template/dbmigrate.toml");
    is("migrations");
    write("db/dbmigrate.toml");
    write("db/mod.rs");
    is("db");
    write("other/dbmigrate.toml");
    write("other/mod.rs");
    let message = found().unwrap_err().to_string();
    assert!(
        message.starts_with("both `db` and `other` are migrations directories of "),
        "{message}"
    );
    write("migrations/dbmigrate.toml");
    is("migrations");
}
