//! `lint`: what is dangerous, slow or a likely mistake in revisions.

pub mod dividing;
pub mod fixing;

use std::collections::BTreeSet;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::dialect::{Dialect, Existing, Facts};
use dbmigrate_runtime::engine::plan::{self, Route};
use dbmigrate_runtime::engine::revision::Range;
use dbmigrate_runtime::engine::{Migration, standing, version_table};
use dbmigrate_runtime::schema::Schema;

use super::Answer;
use crate::cli::{Findings, Lint};
use crate::config;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::lint::{self, Finding, Level, Levels, Target};
use crate::output::{self, style};
use crate::run;
use crate::snapshot;
use fixing::Fixed;

pub fn run(cx: &Context, args: &Lint) -> Result<Answer> {
    if args.output != Findings::Text && cx.out.is_json() {
        return Err(Error::new("--output is for findings as text, SARIF or annotations")
            .hint("leave out --format json, or --output"));
    }
    if args.fix && args.no_database && args.revision.is_none() {
        let message = "--fix edits pending revisions, which only the database knows";
        return Err(Error::new(message).hint(
            "leave out --no-database, or name the revisions that no database has applied, as in \
             `cargo dbmigrate lint 1975ea83b712:head --fix --no-database`",
        ));
    }
    let levels = levels(cx)?;
    let history = History::load(cx)?;
    let mut chosen = chosen(cx, args, history)?;
    let mut findings = found(cx, &levels, &chosen)?;
    let mut fixed = Vec::new();
    if args.fix {
        fixed = fixing::fix(cx, args, &chosen, &findings)?;
    }
    if !fixed.is_empty() {
        chosen = self::chosen(cx, args, History::load(cx)?)?;
        findings = found(cx, &levels, &chosen)?;
    }
    print(cx, args, &chosen, (&findings, &fixed));
    let is_bad = |finding: &Finding| args.deny_warnings || finding.level == Level::Deny;
    Ok(if findings.iter().any(is_bad) { Answer::No } else { Answer::Done })
}

/// What the rules find in the revisions.
fn found(cx: &Context, levels: &Levels, chosen: &Chosen) -> Result<Vec<Finding>> {
    let migrations = chosen.history.migrations()?;
    let route = Route {
        migrations: &migrations,
        direction: Direction::Upgrade,
        ids: &chosen.ids,
        applied: &chosen.applied,
    };
    let targets = targets(cx, chosen.read.as_ref());
    lint::findings(&route, &targets, (levels, &cx.config.naming.0))
}

/// The levels of the rules.
///
/// # Errors
///
/// When the settings name a rule that doesn't exist.
pub(super) fn levels(cx: &Context) -> Result<Levels> {
    let file = config::path(&cx.project.config_dir);
    Levels::of_settings(&cx.config.lint, &cx.project.shown(&file).to_string())
}

/// The databases of the history; the one that was read, if one was, as it is.
fn targets(cx: &Context, read: Option<&Target>) -> Vec<Target> {
    let own = cx.dialect().backend();
    // Only the server tells MySQL and MariaDB apart.
    let place = read.map(|read| read.dialect.backend());
    let place = place.filter(|backend| cx.backends().contains(backend)).unwrap_or(own);
    let target = |dialect: &'static dyn Dialect| match read {
        Some(read) if dialect.backend() == place => read.clone(),
        _ => Target { dialect, facts: dialect.offline_facts(), has_applied: false },
    };
    cx.dialects().map(target).collect()
}

/// The revisions to look at.
pub(super) struct Chosen {
    pub history: History,
    /// What counts as applied before the first of them.
    pub applied: BTreeSet<String>,
    pub ids: Vec<String>,
    /// Whether they are pending in the database.
    are_pending: bool,
    /// The database, if it was read.
    read: Option<Target>,
}

/// The revisions of a range, or the one that an identifier names.
///
/// # Errors
///
/// When there is no such revision.
pub(super) fn of_identifier(cx: &Context, history: &History, identifier: &str) -> Result<Chosen> {
    match Range::parse(identifier) {
        Some(range) => of_range(cx, history, &range),
        None => named(cx, history, identifier),
    }
}

fn chosen(cx: &Context, args: &Lint, history: History) -> Result<Chosen> {
    if let Some(identifier) = &args.revision {
        return of_identifier(cx, &history, identifier);
    }
    if !args.no_database {
        match of_database(cx, &history) {
            Ok(Some(chosen)) => return Ok(chosen),
            Ok(None) => {}
            Err(err) => cx.out.note(format!("the database was not read: {err}")),
        }
    }
    Ok(newest(history, None))
}

/// The newest revision.
fn newest(history: History, read: Option<Target>) -> Chosen {
    let newest = history.graph.revisions().last().map(|revision| revision.id.clone());
    let ids: Vec<String> = newest.into_iter().collect();
    let applied = before(&history, &ids);
    Chosen { history, applied, ids, are_pending: false, read }
}

/// The revisions that are pending in the database, or else the newest; `None` if there is no
/// database yet.
fn of_database(cx: &Context, history: &History) -> Result<Option<Chosen>> {
    let database = Database::find(cx)?;
    let Some(mut driver) = database.open_to_read(Patience::reading(cx))? else { return Ok(None) };
    let rows = version_table::read(driver.as_connection(), cx.config.version_table())?;
    let facts = driver.as_connection().facts().map_err(snapshot::failed)?;
    let target = Target { dialect: driver.dialect(), facts, has_applied: false };
    pending_or_newest(history, standing::ids(&rows), target).map(Some)
}

/// How many findings another command shows without `-v`.
const SHOWN: usize = 10;

/// Prints findings of another command on standard error, the first ones if there are many.
pub(super) fn warn(cx: &Context, findings: &[&Finding]) {
    let n_shown = if cx.out.verbose { findings.len() } else { findings.len().min(SHOWN) };
    let (shown, more) = findings.split_at(n_shown);
    if !shown.is_empty() {
        cx.out.diagnostic(&lint::text(shown.iter().copied()));
    }
    if !more.is_empty() {
        let n = output::count(more.len(), "more finding");
        cx.out.progress(format!("{n}; `cargo dbmigrate lint` or -v lists all"));
    }
}

/// The revisions that are pending in a database with these version rows; if there are none, the
/// newest. What is said of them is said of this database.
fn pending_or_newest(history: &History, rows: BTreeSet<String>, target: Target) -> Result<Chosen> {
    let (history, applied) = history.at(rows)?;
    let (_, ids) = history.pending(&applied);
    if ids.is_empty() {
        // The database has the newest revision already, so its tables are not those before it.
        let Target { dialect, facts, .. } = target;
        let facts = Facts { objects: None, existing: Existing::default(), ..facts };
        let target = Target { dialect, facts, has_applied: true };
        return Ok(newest(history.into_owned(), Some(target)));
    }
    Ok(Chosen {
        history: history.into_owned(),
        applied,
        ids,
        are_pending: true,
        read: Some(target),
    })
}

/// What the rules find in the revisions that are pending in a database, given its applied revisions;
/// in the newest revision if none is pending or there is no database.
pub(super) fn in_pending(
    cx: &Context,
    levels: &Levels,
    history: &History,
    database: Option<(BTreeSet<String>, Target)>,
) -> Result<Vec<Finding>> {
    let chosen = match database {
        Some((applied, target)) => pending_or_newest(history, applied, target)?,
        None => newest(history.clone(), None),
    };
    found(cx, levels, &chosen)
}

/// What the rules find in a revision that is new, except that databases refuse it, of which its
/// author hears anyway.
pub(super) fn in_new(
    cx: &Context,
    levels: &Levels,
    migration: &Migration,
    before: &Schema,
) -> Vec<Finding> {
    let naming = &cx.config.naming.0;
    let mut findings = lint::of_revision((migration, before), &targets(cx, None), (levels, naming));
    findings.retain(|finding| finding.id() != lint::REFUSED);
    findings
}

/// The revisions that an upgrade from one end of the range to the other runs.
fn of_range(cx: &Context, history: &History, range: &Range) -> Result<Chosen> {
    let from = range.from.as_deref().unwrap_or("base");
    let (history, applied) = run::applied_at(cx, history, from)?;
    let to = range.to.as_deref().unwrap_or("heads");
    let target = plan::target(&history.graph, &applied, Direction::Upgrade, to)?;
    let ids = plan::route(&history.graph, &applied, Direction::Upgrade, &target);
    Ok(Chosen { history, applied, ids, are_pending: false, read: None })
}

/// The revisions that an identifier names, without those that they follow.
fn named(cx: &Context, history: &History, identifier: &str) -> Result<Chosen> {
    let history = history.naming(&[identifier])?;
    let (history, applied) = history.to_understand(cx, &[identifier])?;
    let target = history.graph.target(identifier, applied.as_ref())?;
    let ids: Vec<String> = target.ids().into_iter().map(str::to_owned).collect();
    if ids.is_empty() {
        let message = format!("`{identifier}` is before the first revision");
        return Err(Error::new(message).hint("`cargo dbmigrate history` lists the revisions"));
    }
    let applied = before(&history, &ids);
    Ok(Chosen { history: history.into_owned(), applied, ids, are_pending: false, read: None })
}

/// The revisions that come before these.
fn before(history: &History, ids: &[String]) -> BTreeSet<String> {
    let named: Vec<&str> = ids.iter().map(String::as_str).collect();
    let all = history.graph.with_ancestors(&named).into_iter();
    all.filter(|id| !named.contains(id)).map(str::to_owned).collect()
}

fn print(cx: &Context, args: &Lint, chosen: &Chosen, (findings, fixed): (&[Finding], &[Fixed])) {
    let package_dir = &cx.project.package_dir;
    match args.output {
        Findings::Text => {
            cx.out.styled(&lint::text(findings));
            cx.out.line(summary(args, chosen, findings));
        }
        Findings::Sarif => cx.out.text(&lint::sarif(findings, package_dir)),
        Findings::Github => cx.out.text(&lint::github(findings, package_dir)),
    }
    let mut json = serde_json::json!({ "revisions": chosen.ids, "findings": lint::json(findings) });
    if args.fix {
        json["fixed"] = fixed.iter().map(Fixed::json).collect();
    }
    cx.out.json("lint", json);
}

/// How many findings there are, and in what.
fn summary(args: &Lint, chosen: &Chosen, findings: &[Finding]) -> String {
    let kind = if chosen.are_pending { "pending " } else { "" };
    let what = match chosen.ids.as_slice() {
        [] if args.revision.is_some() => return "There is no revision in the range.".to_owned(),
        [] => return "There are no revisions yet.".to_owned(),
        [id] => format!("{kind}revision `{id}`"),
        ids => format!("{} {kind}revisions", ids.len()),
    };
    if findings.is_empty() {
        let text = format!("Nothing was found in {what}.");
        return style::paint(style::GOOD, &text);
    }
    let n_denied = findings.iter().filter(|finding| finding.level == Level::Deny).count();
    let n_warnings = findings.len() - n_denied;
    let denied = (n_denied > 0).then(|| format!("{n_denied} denied"));
    let warnings = (n_warnings > 0).then(|| output::count(n_warnings, "warning"));
    let counts: Vec<String> = denied.into_iter().chain(warnings).collect();
    style::paint(style::CHANGED, &format!("Found in {what}: {}.", counts.join(", ")))
}
