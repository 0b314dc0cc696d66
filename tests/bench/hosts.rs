//! Host crates of the size that a promise mentions, with generated models and revisions.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{Bench, Result, measure};

/// The number of models per file of a host.
const MODELS_A_FILE: usize = 25;

/// Builds the tool with the release profile.
pub fn release_tool() -> Result<PathBuf> {
    let mut cargo = measure::command(cargo(), dbmigrate_tests::repository());
    cargo.args(["build", "--release", "--quiet", "-p", "cargo-dbmigrate"]);
    measure::output(&mut cargo)?;
    let name = format!("cargo-dbmigrate{}", env::consts::EXE_SUFFIX);
    Ok(dbmigrate_tests::target_dir().join("release").join(name))
}

fn cargo() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Which derives a host's structs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derive {
    Nothing,
    Model,
    Serde,
}

/// A host crate, in a workspace of its own.
pub struct Host {
    pub dir: PathBuf,
    tool: PathBuf,
    target_dir: PathBuf,
    derive: Derive,
}

impl Host {
    /// A library with this many structs, each with ten fields.
    pub fn new(bench: &Bench, name: &str, derive: Derive, n: usize) -> Result<Host> {
        let dir = bench.dir.join("hosts").join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(dir.join("src"))?;
        let tool = bench.tool.clone();
        let host = Host { dir, tool, target_dir: bench.dir.join("target"), derive };
        let runtime = dbmigrate_tests::repository().join("dbmigrate-runtime");
        let dependency = match derive {
            Derive::Nothing => String::new(),
            Derive::Model => format!("dbmigrate-runtime = {{ path = {runtime:?} }}\n"),
            Derive::Serde => "serde = { version = \"1\", features = [\"derive\"] }\n".to_owned(),
        };
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [workspace]\n\n[dependencies]\n{dependency}"
        );
        host.write("Cargo.toml", &manifest)?;
        // Uses the versions of this repository.
        fs::copy(dbmigrate_tests::repository().join("Cargo.lock"), host.dir.join("Cargo.lock"))?;
        let n_files = n.div_ceil(MODELS_A_FILE);
        let mut root = "#![allow(dead_code)]\n\n".to_owned();
        for file in 0..n_files {
            let _ = writeln!(root, "mod models_{file};");
            host.write_models(file, n.min((file + 1) * MODELS_A_FILE), "")?;
        }
        host.write("src/lib.rs", &root)?;
        Ok(host)
    }

    /// Turns its library into a binary.
    pub fn make_binary(&self) -> Result<()> {
        let library = self.dir.join("src/lib.rs");
        let root = fs::read_to_string(&library)?;
        fs::remove_file(library)?;
        self.write("src/main.rs", &format!("{root}\nfn main() {{}}\n"))
    }

    /// Writes a file of structs again, with an additional field in the first one.
    pub fn change_model(&self, n: usize, field: &str) -> Result<()> {
        self.write_models(0, n.min(MODELS_A_FILE), &format!("    pub {field}: Option<i64>,\n"))
    }

    fn write_models(&self, file: usize, end: usize, more: &str) -> Result<()> {
        let mut text = String::new();
        for idx in file * MODELS_A_FILE..end {
            let more = if idx == file * MODELS_A_FILE { more } else { "" };
            text += &self.derive.model(idx, more);
        }
        self.write(&format!("src/models_{file}.rs"), &text)
    }

    /// Ends a file with another comment, so that the crate has to be compiled.
    pub fn touch(&self, count: usize) -> Result<()> {
        let path = self.dir.join("src/lib.rs");
        let text = fs::read_to_string(&path)?;
        let kept = text.lines().filter(|line| !line.starts_with("// "));
        let text = kept.fold(String::new(), |text, value| text + value + "\n");
        Ok(fs::write(path, format!("{text}// {count}\n"))?)
    }

    /// Writes a file of the host.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        Ok(fs::write(path, text)?)
    }

    /// Cargo in the host's directory.
    pub fn cargo(&self, args: &[&str]) -> Command {
        self.command(&cargo(), args)
    }

    /// The tool in the host's directory, started in the same way as by cargo.
    pub fn tool(&self, args: &[&str]) -> Command {
        let mut command = self.command(self.tool.as_os_str(), &["dbmigrate"]);
        command.args(args);
        command
    }

    fn command(&self, program: &std::ffi::OsStr, args: &[&str]) -> Command {
        let mut command = measure::command(program, &self.dir);
        command.args(args).env("CARGO_TARGET_DIR", &self.target_dir);
        command
    }
}

impl Derive {
    fn model(self, idx: usize, more: &str) -> String {
        let derive = match self {
            Derive::Nothing => "",
            Derive::Model => "#[derive(dbmigrate_runtime::Model)]\n",
            Derive::Serde => "#[derive(serde::Serialize, serde::Deserialize)]\n",
        };
        let attr = |text: &str| match self {
            Derive::Model => format!("    #[model({text})]\n"),
            Derive::Nothing | Derive::Serde => String::new(),
        };
        let (key, name, price) = (attr("primary_key"), attr("length = 100, unique"), attr("index"));
        let note = attr("length = 500");
        format!(
            "{derive}pub struct Model{idx} {{\n{key}    pub id: i64,\n{name}    pub name: String,\n\
             {note}    pub note: Option<String>,\n    pub is_active: bool,\n    pub n_seen: i32,\n\
             \x20   pub weight: f64,\n{price}    pub price: i64,\n    pub parent: Option<i64>,\n\
             \x20   pub data: Vec<u8>,\n    pub rank: u32,\n{more}}}\n\n"
        )
    }
}
