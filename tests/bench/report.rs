//! The report: a table on standard output, and progress on standard error.

use std::io::{IsTerminal as _, Write as _};

use crate::figures::{Samples, Unit};

/// A line of the table.
#[derive(Debug, Default)]
pub struct Line {
    row: &'static str,
    what: String,
    ours: String,
    rival: String,
    theirs: String,
    /// The ratio of the two, as the promise compares them.
    figure: String,
    promise: String,
    kept: String,
}

impl Line {
    pub fn new(what: impl Into<String>, unit: Unit, ours: &Samples) -> Line {
        Line { what: what.into(), ours: unit.samples(ours), ..Line::default() }
    }

    /// A row that could not be measured.
    pub fn failed(why: &str) -> Line {
        Line { what: format!("failed: {why}"), ..Line::default() }
    }

    /// Something that isn't measured on this machine, and what to do about it.
    pub fn not_measured(what: impl Into<String>, rival: &str, why: &str) -> Line {
        let (what, rival) = (what.into(), rival.to_owned());
        Line { what, rival, theirs: format!("not measured: {why}"), ..Line::default() }
    }

    pub fn beside(mut self, rival: impl Into<String>, unit: Unit, theirs: &Samples) -> Line {
        self.rival = rival.into();
        self.theirs = unit.samples(theirs);
        self
    }

    pub fn promise(mut self, figure: String, promise: &str, kept: bool) -> Line {
        self.figure = figure;
        promise.clone_into(&mut self.promise);
        if kept { "yes" } else { "NO" }.clone_into(&mut self.kept);
        self
    }

    /// The promise that the first takes at most this many times as long as the second.
    pub fn ratio(self, ours: &Samples, theirs: &Samples, at_most: f64) -> Line {
        let ratio = ours.median() / theirs.median();
        self.promise(format!("{ratio:.2} x"), &format!("at most {at_most} x"), ratio <= at_most)
    }

    pub fn in_row(mut self, row: &'static str) -> Line {
        self.row = row;
        self
    }

    fn cells(&self) -> [&str; 8] {
        let Line { row, what, ours, rival, theirs, figure, promise, kept } = self;
        [row, what, ours, rival, theirs, figure, promise, kept]
    }
}

/// The lines, in aligned columns.
pub fn table(lines: &[Line]) -> String {
    let head = ["row", "what", "dbmigrate", "beside", "takes", "compared", "promise", "kept"];
    let rows: Vec<[&str; 8]> = std::iter::once(head).chain(lines.iter().map(Line::cells)).collect();
    let width = |idx: usize| rows.iter().map(|row| first_line(row[idx]).chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|idx| width(idx).unwrap_or(0)).collect();
    let mut text = String::new();
    for (n, row) in rows.iter().enumerate() {
        let cells =
            row.iter().zip(&widths).map(|(text, width)| format!("{:width$}", first_line(text)));
        let line = cells.collect::<Vec<_>>().join("  ");
        text += &format!("{}\n", line.trim_end());
        if n == 0 {
            let rules = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>();
            text += &format!("{}\n", rules.join("  "));
        }
    }
    // A failed command's output is printed below the table.
    for line in lines.iter().filter(|line| line.what.contains('\n')) {
        text += &format!("\n{}: {}\n", line.row, line.what);
    }
    text
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The kind of machine, without its name.
pub fn machine() -> String {
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = crate::rivals::version("rustc", &["--version"]).unwrap_or_default();
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{n_cores} cores, {arch} {os}, {rustc}, load {}; medians (min..max)\n\n", load())
}

/// How many processes wanted a core in the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

#[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
pub fn show(text: &str) {
    print!("{text}");
    let _ = std::io::stdout().flush();
}

#[expect(clippy::print_stderr, reason = "it takes minutes, and somebody waits")]
pub fn progress(text: &str) {
    eprintln!("{text}");
}

/// Reports that another round is done.
#[expect(clippy::print_stderr, reason = "it takes minutes, and somebody waits")]
pub fn tick(round: usize, n_rounds: usize) {
    if std::io::stderr().is_terminal() {
        eprint!("\r  {round} of {n_rounds}{}", if round == n_rounds { "\r" } else { "" });
    }
}
