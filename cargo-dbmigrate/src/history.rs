//! A project's revision files, and the operations that they record.

mod ahead;
mod text;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dbmigrate_runtime::engine::barriers::{self, Reach};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::ledger::{self, Unfinished};
use dbmigrate_runtime::engine::revision::{
    Graph, GraphError, Range, Revision, Target, View, is_from_database,
};
use dbmigrate_runtime::engine::standing::{self, Standing};
use dbmigrate_runtime::engine::{Migration, Migrations, plan, version_table};
use dbmigrate_runtime::{Barrier, Direction};

pub use ahead::{Ahead, nothing};
pub use text::{GONE, entry, gone_entry, message};

use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::style;
use crate::revision_files::constants::{self, Header};
use crate::revision_files::{self, RevisionFile};
use crate::runner::{self, Recorded, Recording};

/// All revisions with their recordings. Operations are decoded on demand, and only once.
#[derive(Clone)]
pub struct History {
    /// The graph for a new database, unless the history is that of a certain database.
    pub graph: Graph,
    /// What each revision does, sorted by id.
    recorded: Arc<Vec<(String, Recorded)>>,
    /// The same decoded.
    decoded: Arc<OnceLock<Vec<Arc<Migration>>>>,
    /// Sorted by module.
    files: Arc<Vec<RevisionFile>>,
}

impl standing::History for History {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn checksum(&self, id: &str) -> Option<&str> {
        self.checksum(id)
    }

    fn barrier(&self, id: &str) -> Option<String> {
        self.recorded(id)?.barrier.clone()
    }

    fn seen(&self, rows: BTreeSet<String>) -> std::result::Result<View<'_, History>, GraphError> {
        let View { of, applied, counted } = self.graph.view(rows)?;
        Ok(View { of: self.seen(of), applied, counted })
    }
}

impl History {
    /// Finds the files and what they record, compiling the new ones.
    ///
    /// # Errors
    ///
    /// When there is no migrations directory, when a module doesn't compile, or when the revisions
    /// don't form a graph.
    pub fn load(cx: &Context) -> Result<History> {
        let files = revision_files::all(cx)?;
        let recordings = runner::recordings(cx, &files)?;
        History::of(cx, files, recordings, &[])
    }

    /// The same for commands that list revisions. If a revision doesn't compile or panics, its
    /// constants and the known recordings of the other files are used.
    ///
    /// # Errors
    ///
    /// As [`History::load`], if the constants of a file can't be read either.
    pub fn to_list(cx: &Context) -> Result<History> {
        let files = revision_files::all(cx)?;
        let err = match runner::recordings(cx, &files) {
            Ok(recordings) => return History::of(cx, files, recordings, &[]),
            Err(err) if err.is_of_revision() => err,
            Err(err) => return Err(err),
        };
        let known = runner::known(cx, &files);
        let listed = known.and_then(|known| {
            let unknown = unknown_headers(cx, &known)?;
            let ids: Vec<String> =
                unknown.iter().map(|header| header.revision.id.clone()).collect();
            Ok((History::of(cx, files, known, &unknown)?, ids))
        });
        let Ok((history, ids)) = listed else { return Err(err) };
        cx.out
            .warning(format!("{err}\n  so only the constants of `{}` are known", ids.join("`, `")));
        Ok(history)
    }

    /// The same from what is known without compiling anything: the cached recordings, and the
    /// constants of other files.
    ///
    /// # Errors
    ///
    /// When the constants of a file can't be read, or when the revisions don't form a graph.
    pub fn at_hand(cx: &Context) -> Result<History> {
        let files = revision_files::all(cx)?;
        let known = runner::known(cx, &files)?;
        let unknown =
            if known.len() == files.len() { Vec::new() } else { unknown_headers(cx, &known)? };
        History::of(cx, files, known, &unknown)
    }

    /// The history of recordings, and of revisions of which only the header is known.
    fn of(
        cx: &Context,
        files: Vec<RevisionFile>,
        recordings: Vec<Recording>,
        headers: &[Header],
    ) -> Result<History> {
        let mut files = files;
        files.sort_by(|one, other| one.module.cmp(&other.module));
        let mut recorded = Vec::with_capacity(recordings.len());
        let mut revisions = Vec::with_capacity(recordings.len() + headers.len());
        for recording in recordings {
            let file = file_of(&files, &recording.recorded.module);
            let file = file.map(|file| cx.project.shown(&file.path).to_string());
            recorded.push((recording.revision.id.clone(), recording.recorded));
            revisions.push(Revision { file: file.unwrap_or_default(), ..recording.revision });
        }
        revisions.extend(headers.iter().map(|header| header.revision.clone()));
        let graph = Graph::new(revisions)?;
        // Building the graph has ensured that ids are unique.
        recorded.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (recorded, files) = (Arc::new(recorded), Arc::new(files));
        Ok(History { graph, recorded, decoded: Arc::default(), files })
    }

    /// Where a database with these version rows stands in this history.
    ///
    /// # Errors
    ///
    /// When the database is at a revision whose file no longer exists.
    pub fn standing(&self, rows: Vec<version_table::VersionRow>) -> Result<Standing<'_, History>> {
        Ok(Standing::of(self, rows)?)
    }

    /// The history from the point of view of a database with these applied revisions, and what is
    /// applied of it.
    ///
    /// # Errors
    ///
    /// When the database is at a revision whose file no longer exists.
    pub fn at(&self, applied: BTreeSet<String>) -> Result<(Cow<'_, History>, BTreeSet<String>)> {
        let View { of, applied, .. } = standing::History::seen(self, applied)?;
        Ok((of, applied))
    }

    /// All heads as a target, and the revisions that an upgrade to it would run.
    pub fn pending(&self, applied: &BTreeSet<String>) -> (Target, Vec<String>) {
        let heads = self.graph.heads().into_iter().map(str::to_owned).collect();
        let heads = Target::Revisions(heads);
        let pending = plan::route(&self.graph, applied, Direction::Upgrade, &heads);
        (heads, pending)
    }

    /// How far an upgrade goes on a database with these applied revisions and with those that an
    /// earlier run has begun.
    pub fn reach(&self, applied: &BTreeSet<String>, begun: &[Unfinished]) -> Reach {
        barriers::offline(self, &self.pending(applied).0, applied, begun)
    }

    /// The history with the revisions that these identifiers name, even if another one has replaced
    /// them.
    ///
    /// # Errors
    ///
    /// When the file of such a revision no longer exists.
    pub fn naming(&self, identifiers: &[&str]) -> Result<Cow<'_, History>> {
        Ok(self.seen(self.graph.naming(identifiers)?))
    }

    /// The history in which these identifiers can be resolved, and the applied revisions if
    /// resolving needs them. Reports what is in place of a replaced revision.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn to_understand(
        &self,
        cx: &Context,
        identifiers: &[&str],
    ) -> Result<(Cow<'_, History>, Option<BTreeSet<String>>)> {
        let (history, applied) = match applied_for(cx, identifiers)? {
            None => (Cow::Borrowed(self), None),
            Some(applied) => {
                let (history, applied) = self.at(applied)?;
                (history, Some(applied))
            }
        };
        history.note_replaced(cx, identifiers);
        Ok((history, applied))
    }

    /// Reports what is in place of replaced revisions.
    pub fn note_replaced(&self, cx: &Context, identifiers: &[&str]) {
        for (id, by) in
            identifiers.iter().filter_map(|identifier| self.graph.replaced_by(identifier))
        {
            cx.out.note(format!("revision `{id}` is part of `{}`, which replaces it", by.id));
        }
    }

    fn seen(&self, graph: Cow<'_, Graph>) -> Cow<'_, History> {
        match graph {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(graph) => Cow::Owned(History { graph, ..self.clone() }),
        }
    }

    /// The checksum of a revision's upgrade.
    pub fn checksum(&self, id: &str) -> Option<&str> {
        self.recorded(id).map(|recorded| recorded.checksum.as_str())
    }

    /// The migrations with their operations.
    ///
    /// # Errors
    ///
    /// When a recording can't be decoded.
    pub fn migrations(&self) -> Result<Migrations> {
        let decoded = match self.decoded.get() {
            Some(decoded) => decoded,
            None => {
                let decoded = self.decode()?;
                self.decoded.get_or_init(|| decoded)
            }
        };
        Ok(Migrations::of(self.graph.clone(), decoded.iter().cloned()))
    }

    fn decode(&self) -> Result<Vec<Arc<Migration>>> {
        let migrations = self.recorded.iter().map(|(id, recorded)| {
            let mut migration = recorded.migration()?;
            if let Some(written) = self.graph.written(id) {
                migration.revision.file.clone_from(&written.file);
            }
            Ok(Arc::new(migration))
        });
        migrations.collect()
    }

    /// The parents of a revision as its file declares them. In the graph, they may be replaced by a
    /// squash revision.
    pub fn written_parents(&self, id: &str) -> &[String] {
        self.graph.written(id).map_or(&[], |revision| &revision.parents)
    }

    /// The file of a revision.
    pub fn path(&self, id: &str) -> Option<&Path> {
        let file = match self.recorded(id) {
            Some(recorded) => file_of(&self.files, &recorded.module),
            // A revision that doesn't compile.
            None => {
                let shown = &self.graph.get(id)?.file;
                self.files.iter().find(|file| file.path.ends_with(shown))
            }
        };
        file.map(|file| file.path.as_path())
    }

    fn recorded(&self, id: &str) -> Option<&Recorded> {
        let place = self.recorded.binary_search_by(|(known, _)| known.as_str().cmp(id)).ok()?;
        self.recorded.get(place).map(|(_, recorded)| recorded)
    }

    /// ` (head)`, ` (branchpoint)` and the like, for a list.
    pub fn marks(&self, revision: &Revision, current: &[&str]) -> String {
        let mut marks = String::new();
        let labels = self.graph.labels(&revision.id);
        if !labels.is_empty() {
            marks += &style::paint(style::LABEL, &format!(" ({})", labels.join(", ")));
        }
        let is_head = self.graph.children(&revision.id).is_empty();
        match self.graph.dependents(&revision.id) {
            [] if is_head => marks += &style::paint(style::GOOD, " (head)"),
            _ if is_head => marks += &style::paint(style::GOOD, " (effective head)"),
            _ => {}
        }
        if revision.parents.len() > 1 {
            marks += " (mergepoint)";
        }
        if self.graph.children(&revision.id).len() > 1 {
            marks += " (branchpoint)";
        }
        if current.contains(&revision.id.as_str()) {
            marks += &style::paint(style::HERE, " (current)");
        }
        marks
    }
}

/// The constants and messages of the revisions whose recordings aren't known.
fn unknown_headers(cx: &Context, known: &[Recording]) -> Result<Vec<Header>> {
    let is_known =
        |header: &Header| known.iter().any(|recording| recording.revision.id == header.revision.id);
    let unknown = constants::read(cx)?.into_iter().filter(|header| !is_known(header));
    Ok(unknown.map(Header::with_message).collect())
}

/// What to do about branches that contradict each other.
pub const SAME_CHANGE: &str = "if both lines make the same change, remove it from the pending one, \
                               then run the command again";

/// The applied revisions of the project's database; empty if it doesn't exist yet.
pub fn applied(cx: &Context, database: &Database) -> Result<Vec<version_table::VersionRow>> {
    match database.open_to_read(Patience::reading(cx))? {
        None => Ok(Vec::new()),
        Some(mut driver) => {
            Ok(version_table::read(driver.as_connection(), cx.config.version_table())?)
        }
    }
}

/// The revisions that a database has begun and not completed.
pub fn unfinished(cx: &Context, database: &Database) -> Result<Vec<Unfinished>> {
    if !cx.dialect().capabilities().has_groups {
        return Ok(Vec::new());
    }
    match database.open_to_read(Patience::reading(cx))? {
        None => Ok(Vec::new()),
        Some(mut driver) => unfinished_in(cx, &mut *driver),
    }
}

/// The same through a connection to the database.
pub fn unfinished_in(cx: &Context, driver: &mut dyn Driver) -> Result<Vec<Unfinished>> {
    if !driver.dialect().capabilities().has_groups {
        return Ok(Vec::new());
    }
    let name = ledger::beside(cx.config.version_table());
    Ok(ledger::unfinished(driver.as_connection(), name)?)
}

/// The same for programs.
pub fn unfinished_json(begun: &Unfinished) -> serde_json::Value {
    let Unfinished { revision, n_done, started, error, .. } = begun;
    serde_json::json!({ "id": revision, "done": n_done, "at": started, "error": error })
}

/// Barriers as JSON.
pub fn barriers_json(barriers: &[Barrier]) -> serde_json::Value {
    let json = |barrier: &Barrier| {
        let Barrier { id, message, reason, .. } = barrier;
        serde_json::json!({ "id": id, "message": message, "reason": reason })
    };
    barriers.iter().map(json).collect()
}

/// What the database stores about applied revisions whose files are missing, the last one first;
/// empty if no database can be read.
pub fn gone(cx: &Context, graph: &Graph) -> Vec<version_table::Entry> {
    let (_, entries) = stored(cx).unwrap_or_default();
    let is_gone = |entry: &version_table::Entry| graph.find(&entry.id).is_none();
    entries.into_iter().rev().filter(is_gone).collect()
}

/// The same for applied revisions whose files were edited afterwards.
pub fn edited(cx: &Context, history: &History) -> Vec<version_table::Entry> {
    let (applied, mut entries) = stored(cx).unwrap_or_default();
    let is_edited = |entry: &version_table::Entry| {
        let row = applied.iter().find(|row| row.id == entry.id);
        let checksum = history.checksum(&entry.id);
        row.is_some_and(|row| checksum.is_some_and(|checksum| checksum != row.checksum))
    };
    entries.retain(is_edited);
    entries
}

/// What the project's database stores about its applied revisions.
fn stored(cx: &Context) -> Option<(Vec<version_table::VersionRow>, Vec<version_table::Entry>)> {
    let patience = Patience { out: cx.out, at_most: Duration::ZERO };
    let mut driver =
        Database::find(cx).and_then(|database| database.open_to_read(patience)).ok()??;
    let table = cx.config.version_table();
    let entries = version_table::entries(driver.as_connection(), table).ok()?;
    // Rows that a newer version wrote are reported elsewhere.
    let applied = version_table::read(driver.as_connection(), table).unwrap_or_default();
    Some((applied, entries))
}

/// The applied revisions, if one of these identifiers can't be resolved without them.
pub fn applied_for(cx: &Context, identifiers: &[&str]) -> Result<Option<BTreeSet<String>>> {
    if identifiers.iter().any(|identifier| is_from_database(identifier)) {
        Ok(Some(applied_ids(cx, &Database::find(cx)?)?))
    } else {
        Ok(None)
    }
}

/// The one revision that an identifier names.
///
/// # Errors
///
/// When the identifier names no revision, or several.
pub fn one<'a>(graph: &'a Graph, applied: &BTreeSet<String>, identifier: &str) -> Result<&'a str> {
    let target = graph.target(identifier, Some(applied))?;
    match target.ids().as_slice() {
        [] => Err(Error::new(format!("`{identifier}` is before the first revision"))
            .hint("`cargo dbmigrate history` lists the revisions")),
        [id] => match graph.get(id) {
            Some(revision) => Ok(&revision.id),
            None => unreachable!("a target names revisions of its graph"),
        },
        ids => {
            let listed = graph.listed(ids);
            Err(Error::new(format!("`{identifier}` names several revisions:{listed}"))
                .hint("name one of them"))
        }
    }
}

/// The revisions of a range, including the one at which it starts. A relative side such as `-2` is
/// relative to the other side or, if that isn't given, to what is applied.
///
/// # Errors
///
/// A side that names nothing, or that doesn't come before the other.
pub fn between(
    graph: &Graph,
    range: &Range,
    applied: Option<&BTreeSet<String>>,
) -> Result<BTreeSet<String>> {
    let is_counted = |text: &str| text.starts_with(['+', '-']);
    let owned = |target: &Target| target.ids().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let side = |text: &str, other: Option<&str>| -> Result<Vec<String>> {
        match other.filter(|other| is_counted(text) && !is_counted(other)) {
            None => Ok(owned(&graph.target(text, applied)?)),
            Some(other) => match graph.target(&format!("{other}{text}"), applied) {
                Ok(target) => Ok(owned(&target)),
                // A start that is too far back is the beginning of the history.
                Err(_) if text.starts_with('-') && graph.target(other, applied).is_ok() => {
                    Ok(Vec::new())
                }
                Err(err) => Err(err.into()),
            },
        }
    };
    let (from, to) = (range.from.as_deref(), range.to.as_deref());
    let ends = side(to.unwrap_or("heads"), from)?;
    let begins = match from {
        None => Vec::new(),
        Some(from) => side(from, to)?,
    };
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    let begins: Vec<&str> = begins.iter().map(String::as_str).collect();
    let mut between = graph.with_ancestors(&ends);
    if let Some(id) = begins.iter().find(|begin| !between.contains(*begin)) {
        let message = format!("revision `{id}` does not come before {}", parents_text_of(&ends));
        return Err(
            Error::new(message).hint("a range goes from an older revision to one that follows it")
        );
    }
    let before = graph.with_ancestors(&begins);
    between.retain(|id| !before.contains(id) || begins.contains(id));
    Ok(between.into_iter().map(str::to_owned).collect())
}

fn parents_text_of(ids: &[&str]) -> String {
    match ids {
        [] => "the base".to_owned(),
        ids => format!("`{}`", ids.join("`, `")),
    }
}

/// The ids of the applied revisions.
pub fn applied_ids(cx: &Context, database: &Database) -> Result<BTreeSet<String>> {
    Ok(standing::ids(&applied(cx, database)?))
}

/// The file of a module, among files that are sorted by module.
fn file_of<'a>(files: &'a [RevisionFile], module: &str) -> Option<&'a RevisionFile> {
    files.get(files.binary_search_by(|file| file.module.as_str().cmp(module)).ok()?)
}
