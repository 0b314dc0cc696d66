//! The commands that change nothing.

use super::arguments::Verb;
use super::database::rows;
use super::output::{Failure, barriers_member};
use super::{Answer, Bundle};
use crate::barriers;
use crate::direction::Direction;
use crate::driver::Driver;
use crate::executor::Options;
use crate::ledger::{self, Unfinished};
use crate::losses;
use crate::migrator::{AppliedRevision, Report};
use crate::operations::Json;
use crate::plan;
use crate::planned::{Plan, PlannedRevision, PlannedTask};
use crate::revision::{Graph, Revision, Target};
use crate::standing::Standing;

/// `plan`: an upgrade, or a downgrade where only that leads to the revision.
pub fn plan(bundle: &Bundle) -> Result<Answer, Failure> {
    let identifier = bundle.arguments.revision.as_str();
    let rest = identifier.rsplit_once('@').map_or(identifier, |(_, rest)| rest);
    let is_below = rest == "base" || rest.starts_with('-');
    let direction = if is_below { Direction::Downgrade } else { Direction::Upgrade };
    let mut plan = planned(bundle, direction)?;
    if plan.revisions.is_empty() && direction == Direction::Upgrade {
        // An applied revision before the current one.
        let down = planned(bundle, Direction::Downgrade).ok();
        plan = down.filter(|down| !down.revisions.is_empty()).unwrap_or(plan);
    }
    show(bundle, (Verb::Plan, &plan))
}

/// Shows what a run would do, instead of running it.
pub fn dry_run(bundle: &Bundle, direction: Direction) -> Result<Answer, Failure> {
    let verb = bundle.arguments.verb;
    show(bundle, (verb, &planned(bundle, direction)?))
}

fn planned(bundle: &Bundle, direction: Direction) -> Result<Plan, Failure> {
    let Bundle { migrator, arguments, options, database, .. } = bundle;
    // Opened once before, for its messages.
    drop(database.open_to_read()?);
    let to = (direction, arguments.revision.as_str());
    Ok(migrator.plan_with(database.url.clone(), to, options)?)
}

/// Prints a plan, and its document.
fn show(bundle: &Bundle, (verb, plan): (Verb, &Plan)) -> Result<Answer, Failure> {
    let Bundle { database, out, .. } = bundle;
    let url = database.shown();
    if plan.revisions.is_empty() {
        out.line(&format!("Nothing to do for {url}."));
    } else {
        out.line(&plan.header(&format!(" of {url}")));
    }
    let discarded = discarded(bundle, plan)?;
    for (planned, discarded) in plan.revisions.iter().zip(&discarded) {
        out.line("");
        let text = if out.is_verbose {
            format!("{:#}", planned.block(plan.direction))
        } else {
            planned.block(plan.direction).to_string()
        };
        out.line(&text);
        discarded.iter().for_each(|line| out.line(&format!("  {line}")));
    }
    for barrier in &plan.stops_before {
        out.line(&format!("stops before {barrier}"));
    }
    let direction = plan.direction.name();
    let blocks = plan.revisions.iter().zip(&discarded).map(|(planned, lost)| block(planned, lost));
    let mut members =
        vec![("direction", Json::text(direction)), ("plan", Json::Array(blocks.collect()))];
    if verb != Verb::Plan {
        members.push(("dry_run", Json::Bool(true)));
    }
    members.extend(barriers_member(&plan.stops_before));
    out.json(verb, members);
    Ok(if plan.is_stopped() { Answer::No } else { Answer::Done })
}

/// For each revision, what it discards, as far as the database can tell before the run.
fn discarded(bundle: &Bundle, plan: &Plan) -> Result<Vec<Vec<String>>, Failure> {
    let Some(mut driver) = bundle.database.open_to_read()? else {
        return Ok(vec![Vec::new(); plan.revisions.len()]);
    };
    let rows = rows(Some(&mut *driver), &bundle.options)?;
    let standing = Standing::of(&bundle.migrations, rows)?;
    let migrations = &standing.view.of;
    let mut schema = migrations.replay(Some(&standing.view.applied))?;
    let mut all = Vec::new();
    for planned in &plan.revisions {
        let Some(migration) = migrations.get(&planned.revision.id) else { continue };
        let operations = &migration.recording(plan.direction).operations;
        let counts = losses::counts(&mut *driver, &schema, operations, |_| false);
        let counts = counts.into_iter().filter(|(_, n)| *n > 0);
        let text =
            |(idx, n): (usize, i64)| format!("{} discards {}", operations[idx], losses::rows(n));
        all.push(counts.map(text).collect());
        for operation in operations {
            // What doesn't fit was refused when it was planned.
            let _ = operation.apply(&mut schema);
        }
    }
    Ok(all)
}

fn block<'a>(planned: &'a PlannedRevision, discarded: &'a [String]) -> Json<'a> {
    let nullable = |text: Option<&'a str>| text.map_or(Json::Null, Json::text);
    let task = |task: &'a PlannedTask| {
        Json::object([
            ("text", Some(Json::text(task.text.as_str()))),
            ("border", Some(Json::Bool(task.is_border))),
            ("sql", Some(nullable(task.sql.as_deref()))),
            ("cost", Some(nullable(task.cost.as_deref()))),
        ])
    };
    Json::object([
        ("id", Some(Json::text(planned.revision.id.as_str()))),
        ("message", Some(Json::text(planned.revision.message.as_str()))),
        ("tasks", Some(Json::Array(planned.tasks.iter().map(task).collect()))),
        ("tables", Some(Json::texts(&planned.remarks))),
        ("discarded", Some(Json::texts(discarded))),
        ("stops", Some(Json::texts(&planned.stops))),
    ])
}

/// `status`
pub fn status(bundle: &Bundle) -> Result<Answer, Failure> {
    let Bundle { migrator, database, options, out, .. } = bundle;
    let mut reader = database.open_to_read()?;
    let is_missing = reader.is_none();
    let rows = rows(reader.as_deref_mut(), options)?;
    let unfinished = unfinished(reader.as_deref_mut(), options)?;
    drop(reader);
    let standing = Standing::of(&bundle.migrations, rows)?;
    let graph = standing.graph();
    let report = migrator.report(database.url.clone(), options)?;
    let heads = graph.heads();
    let all = Target::Revisions(heads.iter().map(|head| (*head).to_owned()).collect());
    let order = plan::check_order(graph, standing.applied(), &report.status.pending, &all);
    let refusal = standing.check(false).err().or(order.err()).map(Failure::from);
    let line = |label: &str, text: &str| out.line(&format!("{label:<10} {text}"));
    let product = if is_missing { "does not exist yet" } else { &report.product };
    line("Database", &format!("{}, {product}", database.shown()));
    let listed =
        if heads.is_empty() { "there are no revisions yet".into() } else { heads.join(", ") };
    line(if heads.len() > 1 { "Heads" } else { "Head" }, &listed);
    let n_all = graph.revisions().len();
    let n_applied = report.status.applied.len();
    line("Applied", &format!("{n_applied} of {}", count(n_all, "revision")));
    report.history.iter().take(SHOWN).for_each(|entry| line("", &applied_text(entry, &report)));
    more(&line, report.history.len(), "earlier");
    match report.status.pending.len() {
        0 => line("Pending", "none"),
        n => line("Pending", &count(n, "revision")),
    }
    for id in report.status.pending.iter().take(SHOWN) {
        let message = graph.get(id).map_or("", |revision| revision.message.as_str());
        let waits = if report.status.waiting.contains(id) { " (waits)" } else { "" };
        line("", &format!("{id}: {}{waits}", or_empty(message)));
    }
    more(&line, report.status.pending.len(), "later");
    report.status.barriers.iter().for_each(|barrier| line("Barrier", &barrier.to_string()));
    report.unfinished.iter().for_each(|begun| line("Stopped", begun));
    if let Some(refusal) = &refusal {
        line("History", &refusal.message);
        refusal.hint.iter().for_each(|hint| out.progress(&format!("  hint: {hint}")));
    }
    report.lock_holder.iter().for_each(|holder| line("Lock", holder));
    if !is_missing {
        match report.drift.len() {
            0 => line("Schema", "the database agrees with the applied revisions"),
            n => {
                let n = count(n, "difference");
                line("Schema", &format!("{n} from the applied revisions"));
                report.drift.iter().for_each(|difference| line("", difference));
            }
        }
    }
    let is_in_order = report.is_in_order() && refusal.is_none();
    let product = if is_missing { Json::Null } else { Json::text(report.product.as_str()) };
    let mut members = vec![
        ("in_order", Json::Bool(is_in_order)),
        ("product", product),
        ("heads", Json::texts(heads)),
        ("applied", Json::Array(report.history.iter().map(applied_json).collect())),
        ("pending", Json::texts(&report.status.pending)),
        ("unknown", Json::texts(&report.status.unknown)),
        ("refusal", refusal.as_ref().map_or(Json::Null, |why| Json::text(why.message.as_str()))),
        ("drift", if is_missing { Json::Null } else { Json::texts(&report.drift) }),
        ("schema_hash", Json::text(bundle.settings.schema_hash)),
    ];
    if !report.status.waiting.is_empty() {
        members.push(("waiting", Json::texts(&report.status.waiting)));
    }
    members.extend(barriers_member(&report.status.barriers));
    members.extend(unfinished_member(&unfinished));
    if let Some(holder) = &report.lock_holder {
        members.push(("lock_holder", Json::text(holder.as_str())));
    }
    out.json(Verb::Status, members);
    Ok(if is_in_order { Answer::Done } else { Answer::No })
}

/// The revisions that are neither applied nor undone completely.
fn unfinished(
    reader: Option<&mut (dyn Driver + '_)>,
    options: &Options,
) -> Result<Vec<Unfinished>, Failure> {
    match reader {
        Some(driver) if driver.dialect().capabilities().has_groups => {
            let name = ledger::beside(options.version_table());
            Ok(ledger::unfinished(driver.as_connection(), name)?)
        }
        _ => Ok(Vec::new()),
    }
}

/// The member of a document with such revisions, if there are any.
fn unfinished_member(unfinished: &[Unfinished]) -> Option<(&'static str, Json<'_>)> {
    let json = |begun: &'_ Unfinished| {
        let error = begun.error.clone();
        Json::object([
            ("id", Some(Json::text(begun.revision.clone()))),
            ("done", Some(Json::Int(begun.n_done.try_into().unwrap_or(i64::MAX)))),
            ("at", Some(begun.started.map_or(Json::Null, Json::Int))),
            ("error", Some(error.map_or(Json::Null, Json::text))),
        ])
    };
    let all = || Json::Array(unfinished.iter().map(json).collect());
    (!unfinished.is_empty()).then(|| ("unfinished", all()))
}

/// How many revisions of a kind `status` lists.
const SHOWN: usize = 5;

fn more(line: &dyn Fn(&str, &str), n: usize, which: &str) {
    if n > SHOWN {
        line("", &format!("and {} {which}", n - SHOWN));
    }
}

/// A version row in one line.
fn applied_text(entry: &AppliedRevision, report: &Report) -> String {
    let AppliedRevision { id, message, applied_at, milliseconds, tool_version } = entry;
    let gone = if report.status.unknown.contains(id) { " (unknown)" } else { "" };
    // Other programs may have written the row.
    let message = or_empty(message).replace(char::is_control, " ");
    let when = applied_at.replace('T', " ").replace('Z', " UTC");
    format!("{id} ({when}, {milliseconds} ms, dbmigrate {tool_version}): {message}{gone}")
}

fn applied_json(entry: &AppliedRevision) -> Json<'_> {
    Json::object([
        ("id", Some(Json::text(entry.id.as_str()))),
        ("message", Some(Json::text(entry.message.as_str()))),
        ("applied_at", Some(Json::text(entry.applied_at.as_str()))),
        ("milliseconds", Some(Json::Int(entry.milliseconds))),
        ("tool_version", Some(Json::text(entry.tool_version.as_str()))),
    ])
}

/// `current`
pub fn current(bundle: &Bundle) -> Result<Answer, Failure> {
    let Bundle { database, options, out, .. } = bundle;
    if !out.is_verbose {
        out.progress(&format!("Database: {}", database.shown()));
    }
    let mut reader = database.open_to_read()?;
    let rows = rows(reader.as_deref_mut(), options)?;
    let standing = Standing::of(&bundle.migrations, rows)?;
    let (graph, applied) = (standing.graph(), standing.applied());
    let unfinished = unfinished(reader.as_deref_mut(), options)?;
    if reader.is_none() {
        out.progress(&format!("the database `{}` does not exist yet", database.name()));
    }
    let current = graph.current(applied);
    let unknown: Vec<&String> = applied.iter().filter(|id| graph.get(id).is_none()).collect();
    for revision in current.iter().filter_map(|id| graph.get(id)) {
        out.line(&format!("{}{}", revision.id, marks(graph, revision, &[])));
    }
    unknown.iter().for_each(|id| out.line(&format!("{id} (unknown)")));
    for begun in &unfinished {
        out.line(&format!("{} ({})", begun.revision, begun.standing(applied)));
    }
    let heads = graph.heads();
    let is_halfway = unfinished.iter().any(Unfinished::is_halfway);
    let is_settled = unknown.is_empty() && !is_halfway;
    let is_at_head = is_settled && heads.iter().all(|head| current.contains(head));
    let all = Target::Revisions(heads.iter().map(|head| (*head).to_owned()).collect());
    let reach = barriers::offline(&*standing.view.of, &all, applied, &unfinished);
    for barrier in &reach.barriers {
        out.progress(&format!("an upgrade stops before {barrier}"));
    }
    let members = [
        ("current", Json::texts(current.iter().copied())),
        ("unknown", Json::texts(unknown.iter().copied())),
        ("at_head", Json::Bool(is_at_head)),
    ];
    let others = unfinished_member(&unfinished).into_iter().chain(barriers_member(&reach.barriers));
    out.json(Verb::Current, members.into_iter().chain(others));
    // What waits because of a barrier is not due yet.
    let only_waits = is_settled && reach.is_settled();
    if !bundle.arguments.check_heads || is_at_head || only_waits {
        return Ok(Answer::Done);
    }
    let missing: Vec<_> = heads.into_iter().filter(|head| !current.contains(head)).collect();
    out.progress(&if !missing.is_empty() {
        format!("the database is not at the head: {}", missing.join(", "))
    } else if is_halfway {
        "a revision is neither applied nor undone completely".to_owned()
    } else {
        "the database has revisions that this executable does not have".to_owned()
    });
    Ok(Answer::No)
}

/// `history`
pub fn history(bundle: &Bundle) -> Result<Answer, Failure> {
    let Bundle { arguments, database, options, out, .. } = bundle;
    let rows = if arguments.indicate_current {
        rows(database.open_to_read()?.as_deref_mut(), options)?
    } else {
        Vec::new()
    };
    let standing = Standing::of(&bundle.migrations, rows)?;
    let (graph, applied) = (standing.graph(), standing.applied());
    let current = if arguments.indicate_current { graph.current(applied) } else { Vec::new() };
    let mut revisions = Vec::new();
    for revision in graph.revisions().iter().rev() {
        let follows = match revision.parents.as_slice() {
            [] => "<base>".to_owned(),
            parents => parents.join(", "),
        };
        let (id, message) = (revision.id.as_str(), or_empty(&revision.message));
        out.line(&format!("{follows} -> {id}{}, {message}", marks(graph, revision, &current)));
        let is_current = arguments.indicate_current.then(|| current.contains(&id));
        revisions.push(Json::object([
            ("id", Some(Json::text(id))),
            ("parents", Some(Json::texts(&revision.parents))),
            ("branch_labels", Some(Json::texts(&revision.branch_labels))),
            ("labels", Some(Json::texts(graph.labels(id)))),
            ("depends_on", Some(Json::texts(&revision.depends_on))),
            ("replaces", Some(Json::texts(revision.replaced()))),
            ("message", Some(Json::text(revision.message.as_str()))),
            ("head", Some(Json::Bool(graph.children(id).is_empty()))),
            ("current", Some(is_current.map_or(Json::Null, Json::Bool))),
        ]));
    }
    out.json(Verb::History, [("revisions", Json::Array(revisions))]);
    Ok(Answer::Done)
}

/// ` (head)`, ` (branchpoint)` and the like, for a list.
fn marks(graph: &Graph, revision: &Revision, current: &[&str]) -> String {
    let mut marks = String::new();
    let labels = graph.labels(&revision.id);
    if !labels.is_empty() {
        marks += &format!(" ({})", labels.join(", "));
    }
    let children = graph.children(&revision.id);
    match (children.is_empty(), graph.dependents(&revision.id).is_empty()) {
        (true, true) => marks += " (head)",
        (true, false) => marks += " (effective head)",
        (false, _) => {}
    }
    if revision.parents.len() > 1 {
        marks += " (mergepoint)";
    }
    if children.len() > 1 {
        marks += " (branchpoint)";
    }
    if current.contains(&revision.id.as_str()) {
        marks += " (current)";
    }
    marks
}

/// A revision's message, or a placeholder if it has none.
fn or_empty(message: &str) -> &str {
    if message.is_empty() { "empty message" } else { message }
}

fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}
