//! Temporary crates that depend on the runtime, and cargo's messages about them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

/// A library crate under the target directory.
pub(crate) struct Fixture {
    root: PathBuf,
}

impl Fixture {
    /// A crate with this name; `edition` and `features` of the runtime go into its manifest.
    pub(crate) fn new(name: &str, edition: &str, features: &str) -> Fixture {
        let root = target_dir().join("crates").join(name);
        let runtime = workspace().join("dbmigrate-runtime");
        let fixture = Fixture { root };
        fixture.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n\
                 [dependencies]\n\
                 dbmigrate-runtime = {{ path = {runtime:?}, features = [{features}] }}\n\n\
                 [workspace]\n"
            ),
        );
        // Uses the same versions as the workspace, without querying a registry.
        if let Ok(lock) = fs::read_to_string(workspace().join("Cargo.lock")) {
            fixture.write("Cargo.lock", &lock);
        }
        fixture
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The messages of a cargo command, which passes the flags on to the compiler.
    pub(crate) fn cargo(&self, command: &str, flags: &[&str]) -> Vec<Value> {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args([command, "--message-format=json", "--manifest-path"])
            .arg(self.root.join("Cargo.toml"))
            .args(flags)
            .env("CARGO_TARGET_DIR", target_dir())
            // Color and width are those of the test runner, and flags for coverage don't belong
            // here.
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let messages: Vec<Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(messages.iter().any(|value| value["reason"] == "build-finished"), "{stderr}");
        messages
    }
}

/// The files in cargo's messages for crates with this name, with this ending.
pub(crate) fn artifacts(messages: &[Value], name: &str, end: &str) -> Vec<PathBuf> {
    messages
        .iter()
        .filter(|value| value["reason"] == "compiler-artifact" && value["target"]["name"] == name)
        .flat_map(|value| value["filenames"].as_array().unwrap())
        .map(|value| PathBuf::from(value.as_str().unwrap()))
        .filter(|path| path.to_str().unwrap().ends_with(end))
        .collect()
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn target_dir() -> PathBuf {
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace().join(dir),
        None => workspace().join("target"),
    };
    target.join("fixtures")
}
