//! The corpora of `tests/cases` and `tests/lint` at the top of the repository.

mod cases;
mod lint;

use std::path::{Path, PathBuf};

/// The files of a corpus, sorted by name. With the variable `DBMIGRATE_CASES`, only those whose names
/// contain its value, or one of several values with commas between them.
fn files(corpus: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(corpus);
    let wanted = std::env::var("DBMIGRATE_CASES").unwrap_or_default();
    let is_wanted = |path: &Path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_case = path.extension().is_some_and(|extension| extension == "case");
        is_case && wanted.split(',').any(|part| name.contains(part))
    };
    let entries = dir.read_dir().unwrap_or_else(|err| panic!("{}: {err}", dir.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| is_wanted(path)).collect();
    paths.sort();
    paths
}
