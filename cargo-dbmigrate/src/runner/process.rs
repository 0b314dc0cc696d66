//! A running runner.

use std::io::{BufReader, IsTerminal as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use dbmigrate_runtime::StepResult;
use dbmigrate_runtime::engine::runner::{Conversation, Frames, Hello, Request};
use dbmigrate_runtime::operations::Operation;

use super::channel::{self, Answers, Received};
use super::host::misunderstood;
use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::output::Output;

#[derive(Debug, Clone, Copy)]
pub enum Mode {
    Record,
    Steps,
    Rewrite,
}

/// A started runner. Dropping it closes the channel, which makes it exit.
#[derive(Debug)]
pub struct Process {
    child: Child,
    answers: Option<Answers>,
    frames: Frames<BufReader<Received>>,
    out: Output,
}

impl Process {
    /// Starts a runner and reads its version. What it prints goes to standard error. A step may ask
    /// a person; a runner that only records or rewrites gets no input.
    pub fn start(executable: &Path, mode: Mode, out: Output) -> Result<Process> {
        let doing = || format!("start `{}`", executable.display());
        let mark = random()?;
        let (mode, stdin) = match mode {
            Mode::Record => ("record", Stdio::null()),
            Mode::Steps if std::io::stdin().is_terminal() => ("steps", Stdio::inherit()),
            Mode::Steps => ("steps", Stdio::null()),
            Mode::Rewrite => ("rewrite", Stdio::null()),
        };
        let mut command = Command::new(executable);
        command.args([mode, &mark]).stdin(stdin);
        let (child, answers, received) = channel::spawn(command, &mark).doing(doing)?;
        let frames = Frames::new(BufReader::new(received), &mark);
        let mut process = Process { child, answers: Some(answers), frames, out };
        let hello = process.next()?.and_then(|line| Hello::read(&line));
        match hello {
            Some(hello) if hello.understood => Ok(process),
            Some(hello) => Err(misunderstood(&hello.version)),
            None => Err(Error::new("the migrations' program ended before it was ready")),
        }
    }

    /// The next frame, or `None` at the end.
    pub fn next(&mut self) -> Result<Option<String>> {
        let out = self.out;
        let frame = self.frames.next(&mut |line| out.diagnostic(line));
        frame.doing(|| "read the output of the migrations' program".to_owned())
    }

    /// Has it run a step.
    pub fn serve(
        &mut self,
        request: Request<'_>,
        db: &mut dbmigrate_runtime::Db<'_>,
    ) -> StepResult {
        let Some(answers) = &mut self.answers else { return Err("its program has ended".into()) };
        let out = self.out;
        let (frames, printed) = (&mut self.frames, &mut |line: &str| out.diagnostic(line));
        Conversation { frames, input: answers, printed }.serve_step(request, db)
    }

    /// Has it rewrite operations.
    pub fn rewrite(
        &mut self,
        operations: &[Operation],
    ) -> std::result::Result<Vec<Operation>, Box<dyn std::error::Error + Send + Sync>> {
        let Some(answers) = &mut self.answers else { return Err("its program has ended".into()) };
        let out = self.out;
        let (frames, printed) = (&mut self.frames, &mut |line: &str| out.diagnostic(line));
        Conversation { frames, input: answers, printed }.ask_rewrite(operations)
    }

    /// Waits until it exits.
    pub fn finish(self) {}
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(answers) = self.answers.take() {
            answers.close();
        }
        let _ = self.child.wait();
    }
}
