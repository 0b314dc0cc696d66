//! Runs commands and measures their cost.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::figures::Samples;
use crate::{Result, report};

/// A clock tick in `/proc`, which is the same on every Linux machine.
const TICK: f64 = 0.01;

/// How often a process's memory is sampled. The kernel keeps the peak, so only an increase within
/// the last interval can be missed.
const INTERVAL: Duration = Duration::from_micros(500);

/// The cost of one run.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall_ms: f64,
    /// The processor time of the process and its children that have exited, if the system reports
    /// it.
    pub cpu_s: Option<f64>,
    /// The peak of the process itself, if the system reports it and it was requested.
    pub peak_mib: Option<f64>,
}

/// Runs a command to its end, with its output in files of this directory.
pub fn cost(command: &mut Command, dir: &Path, expected: &str) -> Result<Cost> {
    run(command, dir, expected, Child::wait)
}

/// The same, including the process's peak memory.
pub fn cost_with_memory(command: &mut Command, dir: &Path, expected: &str) -> Result<Cost> {
    let mut peak_mib = None;
    let cost = run(command, dir, expected, |child| {
        loop {
            peak_mib = peak_of(child.id()).or(peak_mib);
            match child.try_wait()? {
                Some(status) => return Ok(status),
                None => thread::sleep(INTERVAL),
            }
        }
    })?;
    Ok(Cost { peak_mib, ..cost })
}

/// A command's standard output, from a single untimed run.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|err| format!("{}: {err}", shown(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}\n{stderr}", shown(command), output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Measures several commands in turn: one round that doesn't count, and then this many.
pub fn in_turn<const N: usize>(
    n_rounds: usize,
    mut measured: [&mut dyn FnMut() -> Result<f64>; N],
) -> Result<[Samples; N]> {
    let samples = in_turn_of(n_rounds, &mut measured)?;
    Ok(<[Samples; N]>::try_from(samples).unwrap_or_else(|_| unreachable!("one for each")))
}

/// The same for a variable number of commands.
pub fn in_turn_of(
    n_rounds: usize,
    measured: &mut [&mut dyn FnMut() -> Result<f64>],
) -> Result<Vec<Samples>> {
    let mut samples = vec![Samples::default(); measured.len()];
    for round in 0..=n_rounds {
        for (pair, samples) in measured.iter_mut().zip(&mut samples) {
            let value = pair()?;
            if round > 0 {
                samples.push(value);
            }
        }
        report::tick(round, n_rounds);
    }
    Ok(samples)
}

fn run(
    command: &mut Command,
    dir: &Path,
    expected: &str,
    wait: impl FnOnce(&mut Child) -> std::io::Result<std::process::ExitStatus>,
) -> Result<Cost> {
    let (stdout, stderr) = (dir.join("stdout.txt"), dir.join("stderr.txt"));
    command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
    let cpu = cpu_of_children();
    let start = Instant::now();
    let mut child = command.spawn().map_err(|err| format!("{}: {err}", shown(command)))?;
    let status = wait(&mut child)?;
    let wall_ms = start.elapsed().as_secs_f64() * 1000.0;
    let cpu_s = cpu_of_children().zip(cpu).map(|(after, before)| after - before);
    let said = fs::read_to_string(stdout)? + &fs::read_to_string(stderr)?;
    if !status.success() || !said.contains(expected) {
        let problem = format!("{}: {status}, expected `{expected}`\n{said}", shown(command));
        return Err(problem.into());
    }
    Ok(Cost { wall_ms, cpu_s, peak_mib: None })
}

/// The processor time of all children that have exited, including theirs, in seconds.
fn cpu_of_children() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The preceding name may contain spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) * TICK)
}

/// The peak memory of a running process so far.
fn peak_of(id: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A command without input and without the variables of an outer cargo.
pub fn command(program: impl AsRef<std::ffi::OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    for (key, _) in env::vars_os() {
        if dbmigrate_tests::is_of_outer_cargo(&key.to_string_lossy()) {
            command.env_remove(key);
        }
    }
    command.current_dir(dir).stdin(Stdio::null());
    command
}
