//! `upgrade --all` of many files, compared with one process per file.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::revisions;
use crate::figures::{Samples, Unit::Seconds};
use crate::hosts::Host;
use crate::report::Line;
use crate::rivals::{self, DATABASE, Rival};
use crate::{Bench, Result, measure};

const N_FILES: usize = 10_000;

/// A loop over all files would take minutes, so its time is extrapolated from this many.
const N_LOOPED: usize = 500;

const N_REVISIONS: usize = 21;

/// How often such long measurements are repeated.
const N_ROUNDS: usize = 3;

/// Files per second and core.
const AT_LEAST: f64 = 2000.0;

const FILES: &str = "tenants";

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = revisions::host_of(bench, "fanout", N_REVISIONS)?;
    let sql = revisions::sql("DATETIME");
    let mut rivals = Vec::new();
    let mut missing = Vec::new();
    for rival in rivals::ALL {
        match rival.installed() {
            Some(version) => rivals.push((rival, version)),
            None => missing.push(Line::not_measured(
                format!("{N_FILES} files"),
                rival.name,
                &format!("not installed, `{}`", rival.install),
            )),
        }
    }
    let mut lines = Vec::new();
    for (what, n_applied) in
        [("nothing to do", N_REVISIONS), ("one revision pending", N_REVISIONS - 1)]
    {
        let is_settled = n_applied == N_REVISIONS;
        let ours = Ours { host: &host, n_applied };
        let mut theirs = Vec::new();
        for (rival, _) in &rivals {
            theirs.push(Theirs::new(bench, rival, &sql, n_applied)?);
        }
        ours.copies()?;
        let mut all = || ours.all(bench);
        let mut one = || ours.one_by_one();
        let mut measured: Vec<&mut dyn FnMut() -> Result<f64>> = vec![&mut all, &mut one];
        let mut loops: Vec<_> = theirs.iter().map(|theirs| || theirs.one_by_one()).collect();
        measured.extend(loops.iter_mut().map(|found| found as &mut dyn FnMut() -> Result<f64>));
        let samples = measure::in_turn_of(N_ROUNDS, &mut measured)?;
        if is_settled {
            let looked = measure::in_turn_of(N_ROUNDS, &mut [&mut || ours.looked(bench)])?;
            let line = Line::new(format!("{N_FILES} files, `status`"), Seconds, &looked[0]);
            lines.push(rated(line, &looked[0]));
        }
        let ours = &samples[0];
        let line = || Line::new(format!("{N_FILES} files, {what}"), Seconds, ours);
        if is_settled {
            lines.push(rated(line(), ours));
        }
        let names = rivals.iter().map(|(_, version)| format!("{version} in a loop"));
        let names = std::iter::once("`upgrade` in a loop".to_owned()).chain(names);
        for (name, theirs) in names.zip(&samples[1..]) {
            let ratio = ours.median() / theirs.median();
            lines.push(compared(line(), name, theirs, ratio));
        }
    }
    lines.append(&mut missing);
    Ok(lines)
}

/// With the files per second and core.
fn rated(line: Line, took: &Samples) -> Line {
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rate = N_FILES as f64 / took.median() / n_cores as f64;
    let figure = format!("{rate:.0} a second and core");
    line.promise(figure, "over 2000", rate > AT_LEAST)
}

fn compared(line: Line, name: String, theirs: &Samples, ratio: f64) -> Line {
    line.beside(name, Seconds, theirs).promise(format!("{ratio:.2} x"), "faster", ratio < 1.0)
}

/// A host with files that have this many revisions applied.
struct Ours<'a> {
    host: &'a Host,
    n_applied: usize,
}

impl Ours<'_> {
    fn has_work(&self) -> bool {
        self.n_applied < N_REVISIONS
    }

    /// Creates all files again.
    fn copies(&self) -> Result<()> {
        let first = self.host.dir.join("first.db");
        if first.exists() {
            fs::remove_file(&first)?;
        }
        let id = revisions::id(self.n_applied);
        measure::output(&mut self.host.tool(&["upgrade", &id, "--url", "first.db"]))?;
        copies(&first, &self.host.dir, N_FILES)
    }

    fn all(&self, bench: &Bench) -> Result<f64> {
        if self.has_work() {
            self.copies()?;
        }
        let expected = if self.has_work() {
            format!("{N_FILES} databases: 0 at head, {N_FILES} upgraded, 0 failed")
        } else {
            format!("{N_FILES} databases: {N_FILES} at head, 0 upgraded, 0 failed")
        };
        let mut command = self.host.tool(&["upgrade", "--all", FILES]);
        Ok(measure::cost(&mut command, &bench.dir, &expected)?.wall_ms / 1000.0)
    }

    /// Only looks at them.
    fn looked(&self, bench: &Bench) -> Result<f64> {
        let mut command = self.host.tool(&["status", "--all", FILES]);
        let expected = format!("{N_FILES} databases");
        Ok(measure::cost(&mut command, &bench.dir, &expected)?.wall_ms / 1000.0)
    }

    fn one_by_one(&self) -> Result<f64> {
        if self.has_work() {
            copies(&self.host.dir.join("first.db"), &self.host.dir, N_LOOPED)?;
        }
        looped(|file| self.host.tool(&["upgrade", "--url", file]))
    }
}

/// The project of another program.
struct Theirs<'a> {
    rival: &'a Rival,
    dir: std::path::PathBuf,
    has_work: bool,
}

impl<'a> Theirs<'a> {
    fn new(
        bench: &Bench,
        rival: &'a Rival,
        sql: &[String],
        n_applied: usize,
    ) -> Result<Theirs<'a>> {
        let dir = bench.dir.join(format!("{}-fanout", rival.name));
        rival.project(&dir, &sql[..n_applied])?;
        let first = dir.join("first.db");
        fs::rename(dir.join(DATABASE), &first)?;
        rival.add(&dir, &sql[..N_REVISIONS])?;
        copies(&first, &dir, N_LOOPED)?;
        for n in 0..N_LOOPED {
            rival.know(&dir, &file(n))?;
        }
        Ok(Theirs { rival, dir, has_work: n_applied < N_REVISIONS })
    }

    fn one_by_one(&self) -> Result<f64> {
        if self.has_work {
            copies(&self.dir.join("first.db"), &self.dir, N_LOOPED)?;
        }
        looped(|file| self.rival.upgrade_file(&self.dir, file))
    }
}

fn file(n: usize) -> String {
    format!("{FILES}/t{n:05}.db")
}

fn copies(first: &Path, dir: &Path, n: usize) -> Result<()> {
    fs::create_dir_all(dir.join(FILES))?;
    for n in 0..n {
        fs::copy(first, dir.join(file(n)))?;
    }
    // Otherwise the first commit pays for writing the copies to the disk.
    let _ = Command::new("sync").status();
    Ok(())
}

/// The time for one process per file, as a shell's loop would start them.
fn looped(command: impl Fn(&str) -> Command) -> Result<f64> {
    let start = Instant::now();
    for n in 0..N_LOOPED {
        let mut command = command(&file(n));
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            return Err(format!("{command:?}: {status}").into());
        }
    }
    Ok(start.elapsed().as_secs_f64() * (N_FILES / N_LOOPED) as f64)
}
