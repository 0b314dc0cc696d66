//! A file for each test, in a directory of its own under the system's directory for such files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use super::{Template, random};
use crate::Error;
use crate::driver::sqlite::Claim;

/// The beginning of the names of the directories.
const PREFIX: &str = "dbmigrate-test-";

/// A new directory isn't claimed yet; an older one without a claim is a killed process's.
const UNCLAIMED: Duration = Duration::from_secs(60);

/// The files of this process's histories once they are migrated.
static TEMPLATES: Mutex<BTreeMap<String, Arc<Vec<u8>>>> = Mutex::new(BTreeMap::new());

static CLEAN: Once = Once::new();

/// A directory with one database, which is removed when this is dropped.
pub(super) struct TestFile {
    dir: PathBuf,
    claim: Option<Claim>,
}

impl TestFile {
    pub(super) fn create(template: &Template<'_>) -> Result<TestFile, Error> {
        let under = std::env::temp_dir();
        CLEAN.call_once(|| remove_left_over(&under));
        let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
        let file = TestFile::empty(&under)?;
        let path = file.path();
        let failed = |err| Error::test_file(&path, &err);
        if let Some(bytes) = templates.get(&template.state).map(Arc::clone) {
            drop(templates);
            fs::write(&path, &**bytes).map_err(failed)?;
            return Ok(file);
        }
        (template.migrate)(&url(&path))?;
        if !path.exists() {
            // Without revisions no file is created.
            fs::write(&path, "").map_err(failed)?;
        }
        let bytes = fs::read(&path).map_err(failed)?;
        templates.insert(template.state.clone(), Arc::new(bytes));
        Ok(file)
    }

    fn empty(under: &Path) -> Result<TestFile, Error> {
        let dir = under.join(format!("{PREFIX}{:016x}", random()));
        let failed = |err| Error::test_file(&dir, &err);
        fs::create_dir(&dir).map_err(failed)?;
        // From here on the directory is removed if something fails.
        let mut file = TestFile { dir: dir.clone(), claim: None };
        let path = claim_of(&dir);
        fs::write(&path, "").map_err(failed)?;
        file.claim = Claim::take(&path).map_err(Error::test_claim)?;
        Ok(file)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.join("test.db")
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        // An open file can't be removed everywhere.
        self.claim = None;
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The URL of a file, for every library that knows such URLs.
pub(super) fn url(path: &Path) -> String {
    let path = path.display().to_string();
    format!("sqlite:{}", path.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}

fn claim_of(dir: &Path) -> PathBuf {
    dir.join("claim")
}

/// Removes the directories of processes that were killed.
fn remove_left_over(under: &Path) {
    for entry in fs::read_dir(under).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).unwrap_or_default();
        if id.len() != 16 || !id.chars().all(|c| c.is_ascii_hexdigit()) {
            continue;
        }
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok());
        if age.is_none_or(|age| age < UNCLAIMED) {
            continue;
        }
        let dir = entry.path();
        let claim = claim_of(&dir);
        if !claim.exists() || matches!(Claim::take(&claim), Ok(Some(_))) {
            let _ = fs::remove_dir_all(&dir);
        }
    }
}
