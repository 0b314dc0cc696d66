//! `status`: on one screen, where the database stands, and whether it agrees with the project.

use std::borrow::Cow;
use std::collections::BTreeSet;

use dbmigrate_runtime::engine::barriers::Reach;
use dbmigrate_runtime::engine::ledger::Unfinished;
use dbmigrate_runtime::engine::revision::View;
use dbmigrate_runtime::engine::version_table::{self, Entry};
use dbmigrate_runtime::engine::{Migrations, drift, plan, standing};

use super::survey::{self, Depth};
use super::{Answer, check};
use crate::cli::Status;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, Ahead, History};
use crate::models;
use crate::output::{self, style};
use crate::scaffold::{self, ListDifference};
use crate::snapshot::{self, Snapshot};

pub fn run(cx: &Context, args: &Status) -> Result<Answer> {
    if args.several.is_meant() {
        return survey::run(cx, "status", &args.several, Depth::Version);
    }
    let database = Database::find(cx)?;
    let list = scaffold::compare_list(cx)?;
    let ahead = Ahead::start(cx, history::nothing);
    let models = models::load(cx);
    let (history, migrations, ()) = ahead.finish(cx)?;
    let differences =
        models.and_then(|models| check::differences(cx, &models, &migrations.replay(None)?));
    let found = Found::read(cx, &database, &history, &migrations)?;
    let screen = Screen { cx, found, list, differences };
    let answer = screen.answer();
    screen.print(&database, args.n_shown);
    screen.document(answer);
    Ok(answer)
}

/// What a database says about itself.
struct Found<'h> {
    /// Its product with the version; `None` if the database doesn't exist yet.
    product: Option<String>,
    history: Cow<'h, History>,
    applied: BTreeSet<String>,
    /// The version rows, the last one first.
    entries: Vec<Entry>,
    /// The revisions that are not applied, in the order of an upgrade.
    pending: Vec<String>,
    /// How far an upgrade goes.
    reach: Reach,
    /// Why an upgrade would be refused.
    refusal: Option<Error>,
    unfinished: Vec<Unfinished>,
    /// Who migrates it now.
    holder: Option<String>,
    /// How its schema differs; `None` if it could not be compared.
    drift: Option<drift::Drift>,
}

impl<'h> Found<'h> {
    fn read(
        cx: &Context,
        database: &Database,
        history: &'h History,
        migrations: &Migrations,
    ) -> Result<Found<'h>> {
        let table = cx.config.version_table();
        let mut reader = database.open_to_read(Patience::reading(cx))?;
        let rows = match &mut reader {
            Some(driver) => version_table::read(driver.as_connection(), table)?,
            None => Vec::new(),
        };
        let of_database = migrations.view(standing::ids(&rows))?.of;
        let standing = history.standing(rows)?;
        let refusal = standing.check(false).err();
        let View { of: history, applied, .. } = standing.view;
        let (heads, pending) = history.pending(&applied);
        let refusal =
            refusal.or_else(|| plan::check_order(&history.graph, &applied, &pending, &heads).err());
        let unfinished = match &mut reader {
            Some(driver) => history::unfinished_in(cx, &mut **driver)?,
            None => Vec::new(),
        };
        let mut found = Found {
            product: None,
            reach: history.reach(&applied, &unfinished),
            history,
            applied,
            entries: Vec::new(),
            pending,
            refusal: refusal.map(Error::from),
            unfinished,
            holder: None,
            drift: None,
        };
        let Some(mut driver) = reader else { return Ok(found) };
        found.entries = version_table::entries(driver.as_connection(), table)?;
        found.entries.reverse();
        found.holder = driver.holder(&format!("{}.{}", table.schema, table.table));
        let backend = driver.dialect().backend();
        let snapshot = Snapshot::through(cx, driver, migrations)?;
        let version = backend.version_text(snapshot.facts.version);
        found.product = Some(format!("{backend} {version}"));
        let expected = of_database.replay(Some(&found.applied))?;
        let declared = snapshot.declared(&of_database, &found.applied);
        found.drift = Some(snapshot.drift(&expected, &migrations.replay(None)?, declared)?);
        Ok(found)
    }
}

struct Screen<'a> {
    cx: &'a Context,
    found: Found<'a>,
    list: ListDifference,
    /// How the models differ from the migrations; the error if they could not be read.
    differences: Result<Vec<String>>,
}

impl Screen<'_> {
    fn answer(&self) -> Answer {
        // With a file missing from the list, the package doesn't compile, and the answer is known.
        let is_of_list = !self.list.lacks.is_empty() && self.list.extra.is_empty();
        if self.differences.is_err() && !is_of_list {
            Answer::Failed
        } else if self.is_in_order() {
            Answer::Done
        } else {
            Answer::No
        }
    }

    fn is_in_order(&self) -> bool {
        let found = &self.found;
        found.reach.is_settled()
            && found.refusal.is_none()
            && !found.unfinished.iter().any(Unfinished::is_halfway)
            && found.drift.as_ref().is_none_or(|drift| drift.differences.is_empty())
            && self.unknown().is_empty()
            && self.list.is_none()
            && self.differences.as_ref().is_ok_and(Vec::is_empty)
    }

    /// The applied revisions that the project doesn't have.
    fn unknown(&self) -> Vec<&str> {
        let applied = self.found.applied.iter().map(String::as_str);
        applied.filter(|id| self.found.history.graph.get(id).is_none()).collect()
    }

    fn print(&self, database: &Database, n_shown: usize) {
        let Screen { cx, found, .. } = self;
        let line = |label: &str, text: String| cx.out.line(format!("{label:<10} {text}"));
        let product = match &found.product {
            Some(product) => product.clone(),
            None => style::paint(style::CHANGED, database.missing_text()),
        };
        line("Database", format!("{}, {product}", database.url()));
        let graph = &found.history.graph;
        let heads = graph.heads();
        line(
            if heads.len() > 1 { "Heads" } else { "Head" },
            match heads.as_slice() {
                [] => "there are no revisions yet".to_owned(),
                heads => heads.iter().map(|head| style::id(head)).collect::<Vec<_>>().join(", "),
            },
        );
        let n_all = graph.revisions().len();
        let n_known = found.applied.len() - self.unknown().len();
        line("Applied", format!("{n_known} of {}", output::count(n_all, "revision")));
        for entry in found.entries.iter().take(n_shown) {
            line("", applied_text(entry, self.unknown().contains(&entry.id.as_str())));
        }
        if n_shown > 0 && found.entries.len() > n_shown {
            line("", format!("and {} earlier", found.entries.len() - n_shown));
        }
        match found.pending.len() {
            0 => line("Pending", style::paint(style::GOOD, "none")),
            n if found.reach.is_settled() => line("Pending", output::count(n, "revision")),
            n => line("Pending", style::paint(style::CHANGED, &output::count(n, "revision"))),
        }
        for id in found.pending.iter().take(n_shown) {
            let message = graph.get(id).map_or("", |revision| &revision.message);
            let waits = if found.reach.waiting.contains(id) { " (waits)" } else { "" };
            line("", format!("{}: {}{waits}", style::id(id), history::message(message)));
        }
        if n_shown > 0 && found.pending.len() > n_shown {
            line("", format!("and {} later", found.pending.len() - n_shown));
        }
        found.reach.barriers.iter().for_each(|barrier| line("Barrier", barrier.to_string()));
        for begun in &found.unfinished {
            let standing = begun.standing(&found.applied);
            line("Stopped", format!("{}: {}", style::id(&begun.revision), bad(&standing)));
        }
        if let Some(refusal) = &found.refusal {
            line("History", bad(refusal.message()));
            refusal.get_hint().into_iter().for_each(|hint| cx.out.hint(hint));
        }
        if let Some(holder) = &found.holder {
            line("Lock", style::paint(style::CHANGED, holder));
        }
        let list = |differences: &[String]| {
            for difference in differences.iter().take(n_shown) {
                line("", difference.trim_start_matches("Detected ").to_owned());
            }
            if n_shown > 0 && differences.len() > n_shown {
                line("", format!("and {} more", differences.len() - n_shown));
            }
        };
        line("Models", self.models_text());
        self.differences.iter().for_each(|differences| list(differences));
        if let Some(drift) = &found.drift {
            line("Schema", schema_text(drift));
            list(&drift.differences.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if !self.list.is_none() {
            line("mod.rs", style::paint(style::CHANGED, "its list does not match the files"));
        }
        if !self.is_in_order() {
            cx.out.progress("`cargo dbmigrate check` lists what differs");
        }
    }

    fn models_text(&self) -> String {
        match &self.differences {
            Ok(differences) if differences.is_empty() => {
                style::paint(style::GOOD, "agree with the migrations")
            }
            Ok(differences) => {
                let n = output::count(differences.len(), "difference");
                style::paint(style::CHANGED, &format!("{n} from the migrations"))
            }
            Err(err) => bad(&format!("not compared: {}", err.message())),
        }
    }

    fn document(&self, answer: Answer) {
        let Screen { cx, found, list, differences } = self;
        let applied = |entry: &Entry| {
            serde_json::json!({
                "id": entry.id,
                "message": entry.message,
                "applied_at": entry.applied_at,
                "milliseconds": entry.milliseconds,
                "tool_version": entry.tool_version,
            })
        };
        let unfinished: Vec<_> = found.unfinished.iter().map(history::unfinished_json).collect();
        let drift = found
            .drift
            .as_ref()
            .map(|drift| drift.differences.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut json = serde_json::json!({
            "in_order": answer == Answer::Done,
            "product": found.product,
            "heads": found.history.graph.heads(),
            "applied": found.entries.iter().map(applied).collect::<Vec<_>>(),
            "pending": found.pending,
            "unknown": self.unknown(),
            "refusal": found.refusal.as_ref().map(Error::message),
            "differences": differences.as_ref().ok(),
            "drift": drift,
            "not_in_list": list.lacks,
            "not_in_files": list.extra,
        });
        if !unfinished.is_empty() {
            json["unfinished"] = unfinished.into();
        }
        if !found.reach.barriers.is_empty() {
            json["waiting"] = found.reach.waiting.clone().into();
            json["barriers"] = history::barriers_json(&found.reach.barriers);
        }
        if let Some(holder) = &found.holder {
            json["lock_holder"] = holder.as_str().into();
        }
        cx.out.json("status", json);
    }
}

/// A version row in one line.
fn applied_text(entry: &Entry, is_unknown: bool) -> String {
    let Entry { id, message, applied_at, milliseconds, tool_version, .. } = entry;
    let gone = if is_unknown { bad(history::GONE) } else { String::new() };
    // Other programs may have written the row.
    let message = history::message(message).replace(char::is_control, " ");
    let when = applied_at.replace('T', " ").replace('Z', " UTC");
    let by = format!("{when}, {milliseconds} ms, dbmigrate {tool_version}");
    format!("{} ({by}): {message}{gone}", style::id(id))
}

/// How the database's schema compares.
fn schema_text(drift: &drift::Drift) -> String {
    if drift.differences.is_empty() && drift.n_compared == 0 && !drift.others.is_empty() {
        return snapshot::NOTHING_COMPARED.to_owned();
    }
    match drift.differences.len() {
        0 => style::paint(style::GOOD, "the database agrees with the applied revisions"),
        n => {
            let n = output::count(n, "difference");
            style::paint(style::CHANGED, &format!("{n} from the applied revisions"))
        }
    }
}

fn bad(text: &str) -> String {
    style::paint(style::BAD, text)
}
