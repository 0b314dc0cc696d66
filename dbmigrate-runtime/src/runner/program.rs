//! The program's side of the protocol.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use super::recorded::write_recorded;
use super::{FRAME, PROTOCOL};
use crate::backend::Backend;
use crate::db::Session;
use crate::driver::{DatabaseError, Rows};
use crate::migration::Migration;
use crate::operations::{self, FORMAT, Json, Operation, Rewrite};
use crate::operations::{decode_values, encode_values};
use crate::room::with_room;
use crate::{BatchRange, Db, Migrator, Module, Value};

/// The main function of the generated program: records, or runs the requested steps.
pub fn main(migrator: Migrator) -> ExitCode {
    with_room(|| run(migrator))
}

fn run(migrator: Migrator) -> ExitCode {
    let Some(started) = Started::read() else { return ExitCode::from(2) };
    let Some(out) = Out::begin(&started) else { return ExitCode::FAILURE };
    match started.command.as_str() {
        "record" => {
            for module in migrator.modules() {
                out.send(&write_recorded(module, &record(module)));
            }
            out.send(&Json::object([("end", Some(Json::Bool(true)))]));
            ExitCode::SUCCESS
        }
        "steps" => match serve(migrator, &out) {
            Some(()) => ExitCode::SUCCESS,
            None => ExitCode::FAILURE,
        },
        _ => ExitCode::from(2),
    }
}

/// The main function of the generated program with a project's rewriting function, which is called
/// once.
pub fn rewrite(function: Rewrite) -> ExitCode {
    let Some(started) = Started::read().filter(|started| started.command == "rewrite") else {
        return ExitCode::from(2);
    };
    let Some(out) = Out::begin(&started) else { return ExitCode::FAILURE };
    let Some(request) = out.receive() else { return ExitCode::FAILURE };
    let text = request.get("operations").and_then(Json::as_str).unwrap_or_default();
    let res = operations::decode(text).map_err(|err| err.to_string()).and_then(|operations| {
        let rewritten = catching(|| function(operations));
        rewritten.map_err(|panic| format!("it panicked at {panic}"))
    });
    out.send(&match res {
        Ok(rewritten) => {
            Json::object([("operations", Some(Json::text(operations::encode(&rewritten))))])
        }
        Err(why) => Json::object([("why", Some(Json::text(why)))]),
    });
    ExitCode::SUCCESS
}

fn record(module: &Module) -> Result<Migration, String> {
    catching(|| module.record())
}

thread_local! {
    /// The message of the last panic, and its location.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the message of a panic for the error, instead of printing it.
fn keep_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "it gave no reason".to_owned());
        let place = info.location().map_or(String::new(), |location| format!("{location}: "));
        PANIC.set(format!("{place}{text}"));
    }));
}

/// Calls a project's function; the error describes a panic.
fn catching<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| PANIC.take())
}

struct Out<'a> {
    mark: &'a str,
    answers: RefCell<BufReader<Answers>>,
}

/// Where answers are read from. Only this process has access to it, not the programs that a step
/// starts.
type Answers = Box<dyn Read>;

/// How the tool started this program.
struct Started {
    command: String,
    mark: String,
    /// The address of the local port that sends the answers. If it is not given, standard output is
    /// a socket from which they are read.
    address: Option<String>,
}

impl Started {
    fn read() -> Option<Started> {
        let mut args = std::env::args().skip(1);
        let (command, mark, address) = (args.next()?, args.next()?, args.next());
        Some(Started { command, mark, address })
    }

    fn answers(&self) -> std::io::Result<Answers> {
        let Some(address) = &self.address else { return answers_of_socket() };
        let mut stream = TcpStream::connect(address)?;
        // The mark proves to the tool that this is the program which it started.
        writeln!(stream, "{}", self.mark)?;
        Ok(Box::new(stream))
    }
}

#[cfg(unix)]
fn answers_of_socket() -> std::io::Result<Answers> {
    use std::os::fd::AsFd as _;

    Ok(Box::new(std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?)))
}

#[cfg(not(unix))]
fn answers_of_socket() -> std::io::Result<Answers> {
    Err(std::io::ErrorKind::Unsupported.into())
}

impl<'a> Out<'a> {
    /// Sends the version of this program; `None` if nobody is listening.
    fn begin(started: &'a Started) -> Option<Out<'a>> {
        keep_panics();
        let answers = BufReader::new(started.answers().ok()?);
        let out = Out { mark: &started.mark, answers: RefCell::new(answers) };
        out.send(&Json::object([
            ("protocol", Some(Json::Int(PROTOCOL))),
            ("format", Some(Json::Int(FORMAT.into()))),
            ("version", Some(Json::text(env!("CARGO_PKG_VERSION")))),
        ]));
        Some(out)
    }

    /// Receives the next answer or request, or `None` at the end.
    fn receive(&self) -> Option<Json<'static>> {
        let mut line = String::new();
        let n = self.answers.borrow_mut().read_line(&mut line).ok()?;
        if n == 0 { None } else { Json::parse(&line).ok().map(Json::into_owned) }
    }

    /// Sends a frame. It starts on a new line, even after a `print!` without a line break.
    fn send(&self, json: &Json) {
        let mut out = std::io::stdout().lock();
        // If this fails, the tool has gone away, and the next answer won't arrive either.
        let _ = writeln!(out, "\n{FRAME}{} {json}", self.mark);
        let _ = out.flush();
    }
}

/// Runs steps until the tool closes the pipe; `None` if a request is invalid.
fn serve(migrator: Migrator, out: &Out<'_>) -> Option<()> {
    while let Some(request) = out.receive() {
        let revision = request.get("revision")?.as_str()?;
        let place = usize::try_from(request.get("operation")?.as_int()?).ok()?;
        let backend = Backend::by_name(request.get("dialect")?.as_str()?)?;
        let args: Option<Vec<(String, String)>> = request
            .get("args")?
            .as_array()?
            .iter()
            .map(|values| {
                let [key, value] = values.as_array()? else { return None };
                Some((key.as_str()?.to_owned(), value.as_str()?.to_owned()))
            })
            .collect();
        let args = args?;
        let module = migrator.modules().iter().find(|module| module.revision == revision)?;
        let upgrade = request.get("direction")?.as_str()? == "upgrade";
        let migration = record(module).ok()?;
        let recording = if upgrade { migration.upgrade } else { migration.downgrade };
        let step = recording.operations.into_iter().nth(place);
        let name = request.get("step")?.as_str()?;
        let checksum = request.get("checksum")?.as_str()?;
        let range = match request.get("range") {
            Some(range) => Some(read_range(range)?),
            None => None,
        };
        let step = match step {
            Some(Operation::Run(step)) if step.name == name && migration.checksum == checksum => {
                step
            }
            _ => {
                let why = "the revision was edited while it ran; run the command again";
                out.send(&Json::object([
                    ("done", Some(Json::Bool(false))),
                    ("why", Some(Json::text(why))),
                ]));
                continue;
            }
        };
        let mut db = Db::over(Pipe { out, backend }, &args);
        let res = match (&range, step.action, step.batch.and_then(|batch| batch.action)) {
            (None, Some(action), _) => catching(|| action(&mut db)),
            (Some(range), _, Some(action)) => catching(|| action(&mut db, range)),
            _ => return None,
        };
        let failed = match res {
            Ok(Ok(())) => None,
            Ok(Err(err)) => Some(err.to_string()),
            Err(panic) => Some(format!("it panicked at {panic}")),
        };
        out.send(&Json::object([
            ("done", Some(Json::Bool(failed.is_none()))),
            ("why", failed.map(Json::text)),
        ]));
    }
    Some(())
}

fn read_range(json: &Json<'_>) -> Option<BatchRange> {
    match decode_values(json).ok()?.as_slice() {
        [first, last, Value::Integer(number)] => Some(BatchRange {
            first: first.clone(),
            last: last.clone(),
            number: u64::try_from(*number).ok()?,
        }),
        _ => None,
    }
}

/// A session whose statements the tool runs.
struct Pipe<'a> {
    out: &'a Out<'a>,
    backend: Backend,
}

impl Pipe<'_> {
    fn ask(
        &mut self,
        what: &str,
        sql: &str,
        params: &[Value],
    ) -> Result<Json<'static>, DatabaseError> {
        self.out.send(&Json::object([
            (what, Some(Json::text(sql))),
            ("params", Some(encode_values(params))),
        ]));
        let answer = self
            .out
            .receive()
            .ok_or_else(|| DatabaseError::new("the tool that ran it has ended"))?;
        match answer.get("error").and_then(Json::as_str) {
            Some(message) => Err(DatabaseError::new(message)),
            None => Ok(answer),
        }
    }
}

fn strange() -> DatabaseError {
    DatabaseError::new("the tool's answer can't be read")
}

impl Session for Pipe<'_> {
    fn backend(&self) -> Backend {
        self.backend
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        let answer = self.ask("execute", sql, params)?;
        let n = answer.get("changes").and_then(Json::as_int);
        n.and_then(|n| u64::try_from(n).ok()).ok_or_else(strange)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        let answer = self.ask("query", sql, params)?;
        let columns = answer.get("columns").and_then(Json::as_array).ok_or_else(strange)?;
        let columns = columns.iter().map(|value| value.as_str().map(str::to_owned));
        let rows = answer.get("rows").and_then(Json::as_array).ok_or_else(strange)?;
        Ok(Rows {
            columns: columns.collect::<Option<_>>().ok_or_else(strange)?,
            rows: rows
                .iter()
                .map(decode_values)
                .collect::<Result<_, _>>()
                .map_err(|_| strange())?,
        })
    }

    fn in_transaction(&self) -> bool {
        true
    }
}
