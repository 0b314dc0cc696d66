//! Reads and writes the file of a case.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::Backend;

/// The sections of a file.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// The file's name without its extension.
    pub name: String,
    pub path: PathBuf,
    /// What is written by a person: all but the last sections.
    written: String,
    /// The bodies of the functions.
    before: String,
    upgrade: String,
    downgrade: String,
    /// The databases that the case is for; empty for all.
    databases: Vec<String>,
    /// What is known of the databases.
    pub facts: String,
    /// Settings, as in dbmigrate.toml.
    pub config: String,
    /// The rules that don't find anything.
    pub silent: Vec<String>,
}

/// The section that is expected.
const FINDINGS: &str = "--- findings\n";

/// What `lint --fix` makes of the revision, if it helps.
const FIX: &str = "--- fix\n";

/// What the rules still find then.
const FINDINGS_AFTER: &str = "--- findings after the fix\n";

impl Case {
    /// The repository's cases, as [`files`](crate::files) finds them.
    pub fn all() -> Vec<Case> {
        crate::files("lint").iter().map(|path| Case::read(path)).collect()
    }

    fn read(path: &Path) -> Case {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let written = text.split(FINDINGS).next().unwrap_or_default().to_owned();
        let downgrade = "op.irreversible(\"it is a case\");\n".to_owned();
        let mut case = Case { name, path: path.to_owned(), downgrade, ..Case::default() };
        let mut sections = written.split("\n--- ");
        let about = sections.next().unwrap_or_default();
        assert!(about.ends_with('.'), "{}: one sentence comes first", path.display());
        for section in sections {
            let (name, text) = section.split_once('\n').unwrap_or((section, ""));
            let text = format!("{}\n", text.trim_end());
            let lines =
                || text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
            match name {
                "before" => case.before = text,
                "upgrade" => case.upgrade = text,
                "downgrade" => case.downgrade = text,
                "databases" => case.databases = lines(),
                "facts" => case.facts = text,
                "config" => case.config = text,
                "silent" => case.silent = lines(),
                name => panic!("{}: no section is called `{name}`", path.display()),
            }
        }
        case.written = written;
        case
    }

    pub fn is_for(&self, backend: Backend) -> bool {
        self.databases.is_empty() || self.databases.iter().any(|name| name == backend.name())
    }

    /// The text of the file with these findings, with the fix if there is one, and with what is
    /// found after it.
    pub fn text(&self, findings: &str, fix: &str, after: &str) -> String {
        let mut text = format!("{}{FINDINGS}{findings}", self.written);
        for (name, section) in [(FIX, fix), (FINDINGS_AFTER, after)] {
            if !section.is_empty() {
                text += &format!("{name}{section}");
            }
        }
        text
    }

    /// The modules of the revisions before and of the one that is looked at.
    pub fn modules(&self) -> [(String, String); 2] {
        let id = self.name.replace('-', "_");
        let before = format!("a_{id}");
        [
            (before.clone(), module(&before, None, [&self.before, "op.irreversible(\"\");"])),
            (
                format!("b_{id}"),
                module(&format!("b_{id}"), Some(&before), [&self.upgrade, &self.downgrade]),
            ),
        ]
    }
}

fn module(id: &str, parent: Option<&str>, [upgrade, downgrade]: [&str; 2]) -> String {
    let parent = parent.map_or(String::new(), |parent| format!("{parent:?}"));
    let mut text = format!(
        "//! {id}\n\nuse dbmigrate_runtime::prelude::*;\n\n\
         pub const REVISION: &str = {id:?};\n\
         pub const DOWN_REVISION: &[&str] = &[{parent}];\n\
         pub const BRANCH_LABELS: &[&str] = &[];\n\
         pub const DEPENDS_ON: &[&str] = &[];\n"
    );
    for (name, body) in [("upgrade", upgrade), ("downgrade", downgrade)] {
        let _ = write!(text, "\npub fn {name}(op: &mut Operations) {{\n{body}\n}}\n");
    }
    text
}
