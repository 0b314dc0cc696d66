//! `migrate` with a long history, where the new revision is tried on what the history builds.

use std::cell::Cell;

use super::revisions::id;
use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

const N_MODELS: usize = 200;
const N_REVISIONS: usize = 100;
const AT_MOST: f64 = 1.3;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let tables = host(bench, "tried", |_| String::new())?;
    let sql = host(bench, "tried-sql", view)?;
    let mut lines = one(bench, "no SQL", &tables)?;
    lines.extend(one(bench, "20 of them with SQL", &sql)?);
    Ok(lines)
}

fn one(bench: &Bench, history: &str, host: &Host) -> Result<Vec<Line>> {
    let n_changes = Cell::new(0);
    // Each run has a change of its own, so that none finds the other's work done.
    let change = || {
        n_changes.set(n_changes.get() + 1);
        host.change_model(N_MODELS, &format!("field_{}", n_changes.get()))
    };
    let migrate = |args: &[&str]| {
        change()?;
        let mut migrate = host.tool(&[&["migrate", "--dry-run"], args].concat());
        Ok(measure::cost(&mut migrate, &bench.dir, "Detected added column")?.wall_ms)
    };
    let samples = measure::in_turn(
        bench.n_runs,
        [&mut || migrate(&[]), &mut || migrate(&["--no-try"]), &mut || {
            change()?;
            let mut check = host.cargo(&["check"]);
            Ok(measure::cost(&mut check, &bench.dir, "Checking")?.wall_ms)
        }],
    )?;
    let [tried, untried, check] = &samples;
    let line = |what: &str, ours: &crate::figures::Samples| {
        Line::new(format!("{N_REVISIONS} revisions, {history}{what}"), Milliseconds, ours)
            .beside("cargo check", Milliseconds, check)
            .ratio(ours, check, AT_MOST)
    };
    Ok(vec![line("", tried), line(", --no-try", untried)])
}

/// A host whose history ends with the tables of its models.
fn host(bench: &Bench, name: &str, sql: fn(usize) -> String) -> Result<Host> {
    let host = Host::new(bench, name, Derive::Model, N_MODELS)?;
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    measure::output(&mut host.tool(&["migrate", "-m", "all", "--rev-id", &id(1)]))?;
    for n in 2..=N_REVISIONS {
        let file = format!("migrations/versions/m20990101_{n:06}_{}_change_{n}.rs", id(n));
        host.write(&file, &revision(n, &sql(n)))?;
    }
    // The recordings are cached then, and what the history builds is kept.
    host.change_model(N_MODELS, "field_0")?;
    measure::output(&mut host.tool(&["migrate", "--dry-run"]))?;
    Ok(host)
}

/// Every fifth revision makes a view.
fn view(n: usize) -> String {
    match n % 5 {
        0 => format!(
            "    op.execute(\"CREATE VIEW view_{n} AS SELECT id, name FROM model{n}\")\n        \
             .reversed_by(\"DROP VIEW view_{n}\");\n"
        ),
        _ => String::new(),
    }
}

/// A column is added, and dropped by the next revision.
fn revision(n: usize, sql: &str) -> String {
    let add = |n: usize| {
        format!("    op.add_column(\"model{n}\", Column::new(\"more\", Type::String(200)));\n")
    };
    let drop = |n: usize| format!("    op.drop_column(\"model{n}\", \"more\");\n");
    let (up, down) = if n % 2 == 0 && n < N_REVISIONS {
        (add(n), drop(n))
    } else if n % 2 == 1 {
        (drop(n - 1), add(n - 1))
    } else {
        Default::default()
    };
    dbmigrate_tests::revision(
        &id(n),
        &[&id(n - 1)],
        &format!("change {n}"),
        &format!("{up}{sql}    let _ = op;"),
        &format!("{down}    let _ = op;"),
    )
}
