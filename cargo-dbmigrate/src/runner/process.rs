//! A runner that runs.

use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use dbmigrate_runtime::StepResult;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::runner::{Frames, Hello, Request, ask_rewrite, serve_step};

use super::host::misunderstood;
use super::random;
use crate::error::{Doing as _, Error, Result};
use crate::output::Output;

#[derive(Debug, Clone, Copy)]
pub enum Mode {
    Record,
    Steps,
    Rewrite,
}

/// A started runner. Its end of the pipe closes when it is dropped, which ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    frames: Frames<BufReader<ChildStdout>>,
    out: Output,
}

impl Process {
    /// Starts a runner and hears its version. What it prints goes to standard error.
    pub fn start(executable: &Path, mode: Mode, out: Output) -> Result<Process> {
        let doing = || format!("start `{}`", executable.display());
        let mark = random()?;
        let mode = match mode {
            Mode::Record => "record",
            Mode::Steps => "steps",
            Mode::Rewrite => "rewrite",
        };
        let mut child = Command::new(executable)
            .args([mode, &mark])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .doing(doing)?;
        let input = child.stdin.take();
        let Some(output) = child.stdout.take() else {
            return Err(Error::new("the migrations' program has no output"));
        };
        let frames = Frames::new(BufReader::new(output), &mark);
        let mut process = Process { child, input, frames, out };
        let hello = process.next()?.and_then(|it| Hello::read(&it));
        match hello {
            Some(it) if it.understood => Ok(process),
            Some(it) => Err(misunderstood(&it.version)),
            None => Err(Error::new("the migrations' program ended before it was ready")),
        }
    }

    /// The next frame, or `None` at the end.
    pub fn next(&mut self) -> Result<Option<String>> {
        let out = self.out;
        let frame = self.frames.next(&mut |line| out.diagnostic(line));
        frame.doing(|| "read what the migrations' program says".to_owned())
    }

    /// Has it run a step.
    pub fn serve(
        &mut self,
        request: Request<'_>,
        db: &mut dbmigrate_runtime::Db<'_>,
    ) -> StepResult {
        let Some(input) = &mut self.input else { return Err("its program has ended".into()) };
        let out = self.out;
        serve_step(request, &mut self.frames, input, db, &mut |line| out.diagnostic(line))
    }

    /// Has it rewrite operations.
    pub fn rewrite(
        &mut self,
        operations: &[Operation],
    ) -> std::result::Result<Vec<Operation>, Box<dyn std::error::Error + Send + Sync>> {
        let Some(input) = &mut self.input else { return Err("its program has ended".into()) };
        let out = self.out;
        ask_rewrite(operations, &mut self.frames, input, &mut |line| out.diagnostic(line))
    }

    /// Waits for its end.
    pub fn finish(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}
