//! All models and modules of the cases in one package, so that cargo checks and compiles them once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_dbmigrate::internals::{
    CONFIG_FILE, Config, Context, Global, Models, Project, RevisionFile, models, recordings,
};
use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::record::ModelRecord;

use super::QUIET;
use super::case::Case;
use super::postgres::POSTGRES;

/// The package, in the target directory that the tests' hosts have in common.
pub struct Package {
    dir: PathBuf,
    cx: Context,
}

/// The text before the models of each case.
const PRELUDE: &str = "#![allow(dead_code)]\n#[allow(unused_imports)]\n\
                       use dbmigrate_runtime::{ColumnType, Columns, Model};\n\n";

impl Package {
    /// Writes the package of this name with the models of all cases.
    pub fn new(name: &str, cases: &[Case]) -> Package {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => repository.join(dir),
            None => repository.join("target"),
        };
        let target = target.join("fixtures");
        let dir = target.join(name);
        let runtime = repository.join("dbmigrate-runtime");
        let mut lib = String::new();
        let mut files = BTreeMap::from([
            (
                "Cargo.toml".to_owned(),
                format!(
                    "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                     [workspace]\n\n[dependencies]\n\
                     dbmigrate-runtime = {{ path = {runtime:?}, features = [\"chrono\"] }}\n\
                     chrono = {{ version = \"0.4\", default-features = false }}\n"
                ),
            ),
            (".cargo/config.toml".to_owned(), format!("build.target-dir = {target:?}\n")),
        ]);
        for (idx, case) in cases.iter().enumerate() {
            for (side, text) in [("before", &case.before), ("after", &case.after)] {
                let path = source(case, side);
                let name = path.trim_start_matches("src/");
                let _ = writeln!(lib, "#[path = {name:?}]\npub mod {side}{idx};");
                files.insert(path, format!("{PRELUDE}{text}"));
            }
        }
        files.insert("src/lib.rs".to_owned(), lib);
        write_all(&dir, "src", &files);
        fs::create_dir_all(dir.join("migrations")).unwrap();
        // Avoids downloading versions twice; cargo removes entries that aren't needed.
        fs::copy(repository.join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
        let mut global = Global::default();
        global.cargo.manifest_path = Some(dir.join("Cargo.toml"));
        let mut project = Project::find(&global).unwrap();
        project.target_dir.clone_from(&target);
        project.work_dir = target.join("dbmigrate").join(name);
        let cx = Context::of_project(global, QUIET, project, Config::default());
        Package { dir, cx }
    }

    /// Has cargo check the package and reads the models before and after, for each case.
    pub fn models(&mut self, cases: &[Case]) -> Vec<[Models; 2]> {
        let mut models = self.by_config(
            cases.iter().flat_map(|case| ["before", "after"].map(|side| source(case, side))),
        );
        for (idx, case) in cases.iter().enumerate() {
            if let Some(config) = &case.config {
                let path = self.dir.join(CONFIG_FILE);
                let config = Config::parse(config, &path);
                self.cx.config = config.unwrap_or_else(|err| panic!("{}: {err}", case.name));
                models.splice(2 * idx + 1..2 * idx + 2, self.by_config([source(case, "after")]));
                self.cx.config = Config::default();
            }
        }
        for (case, of_case) in cases.iter().zip(models.chunks_mut(2)) {
            if case.is_for("sqlite") && case.is_for("postgres") {
                of_case.iter_mut().for_each(|side| side.others = vec![POSTGRES]);
            }
        }
        let mut models = models.into_iter();
        std::iter::from_fn(|| Some([models.next()?, models.next()?])).collect()
    }

    /// The models in these sources, with the current settings.
    fn by_config(&self, paths: impl IntoIterator<Item = String>) -> Vec<Models> {
        let records = models::records(&self.cx).unwrap_or_else(|err| panic!("{err}"));
        let of = |path: String| {
            let records = records.iter().filter(|record| record.file == path).cloned();
            let records: Vec<ModelRecord> = records.collect();
            models::of_records(records, &self.cx).unwrap_or_else(|err| panic!("{path}: {err}"))
        };
        paths.into_iter().map(of).collect()
    }

    /// Compiles modules like those of a project, and returns what they record, in order.
    pub fn recorded(&self, modules: &[(String, String)]) -> Vec<Migration> {
        let path = |name: &str| format!("migrations/versions/{name}.rs");
        let files = modules.iter().map(|(name, text)| (path(name), text.clone())).collect();
        write_all(&self.dir, "migrations", &files);
        let files = modules.iter().map(|(name, _)| RevisionFile {
            module: name.clone(),
            path: self.dir.join(path(name)),
            listed: None,
        });
        let files: Vec<RevisionFile> = files.collect();
        // The cache depends on the runtime's version, but here the runtime itself changes.
        let _ = fs::remove_dir_all(&self.cx.project.work_dir);
        let recordings = recordings(&self.cx, &files);
        let recordings = recordings.unwrap_or_else(|err| panic!("{err}"));
        recordings.iter().map(|recording| recording.recorded.migration().unwrap()).collect()
    }
}

fn source(case: &Case, side: &str) -> String {
    format!("src/{}/{side}.rs", case.name)
}

/// Updates a directory's files, without touching those that are already right.
fn write_all(dir: &Path, under: &str, files: &BTreeMap<String, String>) {
    fn remove_others(dir: &Path, kept: &dyn Fn(&Path) -> bool) {
        for entry in dir.read_dir().into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                remove_others(&path, kept);
            } else if !kept(&path) {
                fs::remove_file(path).unwrap();
            }
        }
    }
    for (path, text) in files {
        let path = dir.join(path);
        if fs::read_to_string(&path).is_ok_and(|name| name == *text) {
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let kept = |path: &Path| files.keys().any(|text| dir.join(text) == path);
    remove_others(&dir.join(under), &kept);
}
