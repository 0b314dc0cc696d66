//! A runner that runs.

use std::io::{BufReader, IsTerminal as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use dbmigrate_runtime::StepResult;
use dbmigrate_runtime::engine::runner::{Frames, Hello, Request, ask_rewrite, serve_step};
use dbmigrate_runtime::operations::Operation;

use super::host::misunderstood;
use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::output::Output;
use channel::{Input, Output as Received};

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
    input: Option<Input>,
    frames: Frames<BufReader<Received>>,
    out: Output,
}

impl Process {
    /// Starts a runner and hears its version. What it prints goes to standard error. A step may
    /// ask a person; what only records or rewrites has nothing to read.
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
        let (child, input, output) = channel::spawn(command).doing(doing)?;
        let frames = Frames::new(BufReader::new(output), &mark);
        let mut process = Process { child, input: Some(input), frames, out };
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
        if let Some(input) = self.input.take() {
            channel::close(input);
        }
        let _ = self.child.wait();
    }
}

/// What carries frames to the tool, and answers to the runner: a socket in the place of its
/// standard output, so that its standard input is left to what a step reads.
#[cfg(unix)]
mod channel {
    use std::io;
    use std::net::Shutdown;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Child, Command};

    pub type Input = UnixStream;
    pub type Output = UnixStream;

    /// Starts the command. Its own end is closed here with it, or its end would not be seen.
    pub fn spawn(mut command: Command) -> io::Result<(Child, Input, Output)> {
        let (ours, theirs) = UnixStream::pair()?;
        let input = ours.try_clone()?;
        let child = command.stdout(OwnedFd::from(theirs)).spawn()?;
        Ok((child, input, ours))
    }

    /// Tells the runner that nothing more comes.
    pub fn close(input: Input) {
        let _ = input.shutdown(Shutdown::Write);
    }
}

/// The same by two pipes, where there are no such sockets: a step that reads standard input is in
/// the way of the answers there.
#[cfg(not(unix))]
mod channel {
    use std::io;
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

    pub type Input = ChildStdin;
    pub type Output = ChildStdout;

    pub fn spawn(mut command: Command) -> io::Result<(Child, Input, Output)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok((child, input, output)),
            _ => Err(io::Error::other("it has no standard input or output")),
        }
    }

    pub fn close(input: Input) {
        drop(input);
    }
}
