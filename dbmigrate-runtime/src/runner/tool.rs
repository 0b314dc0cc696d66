//! The tool's side of the protocol.

use std::fmt;
use std::io::{BufRead, Write};

use super::{FRAME, PROTOCOL};
use crate::direction::Direction;
use crate::operations::{self, FORMAT, Json, Operation};
use crate::operations::{decode_values, encode_values};
use crate::{BatchRange, Db, StepResult, Value};

/// Reads a runner's output: frames for the tool, and lines that a migration printed.
#[derive(Debug)]
pub struct Frames<R> {
    output: R,
    prefix: String,
}

impl<R: BufRead> Frames<R> {
    /// Reads the output of a runner that was given this mark.
    pub fn new(output: R, mark: &str) -> Frames<R> {
        Frames { output, prefix: format!("{FRAME}{mark} ") }
    }

    /// Returns the next frame, or `None` at the end. Calls `printed` with each line that isn't a
    /// frame.
    ///
    /// # Errors
    ///
    /// When the pipe can't be read.
    pub fn next(&mut self, printed: &mut dyn FnMut(&str)) -> std::io::Result<Option<String>> {
        // A frame is preceded by an empty line, which belongs to the frame.
        let mut held = false;
        loop {
            let mut bytes = Vec::new();
            if self.output.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(frame) = line.strip_prefix(&self.prefix) {
                return Ok(Some(frame.to_owned()));
            }
            if held {
                printed("");
            }
            held = line.is_empty();
            if !held {
                printed(line);
            }
        }
    }
}

/// The first frame of a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The version of its runtime.
    pub version: String,
    /// Whether this version can talk to the runner.
    pub understood: bool,
}

impl Hello {
    /// Reads the first frame.
    pub fn read(frame: &str) -> Option<Hello> {
        let json = Json::parse(frame).ok()?;
        let understood = json.get("protocol")?.as_int()? == PROTOCOL
            && json.get("format")?.as_int()? <= FORMAT.into();
        Some(Hello { version: json.get("version")?.as_str()?.to_owned(), understood })
    }
}

/// A request to run a step.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The revision's id.
    pub revision: &'a str,
    /// The direction.
    pub direction: Direction,
    /// The step's position among the operations of that direction.
    pub operation: usize,
    /// The step's name, by which the runner verifies that it has the same step.
    pub step: &'a str,
    /// The checksum of the revision's upgrade, as the tool recorded it.
    pub checksum: &'a str,
    /// The piece to run, if the step runs in pieces.
    pub range: Option<&'a BatchRange>,
}

/// A conversation with a running program.
pub struct Conversation<'a, R> {
    /// What the program writes.
    pub frames: &'a mut Frames<R>,
    /// Where it reads answers.
    pub input: &'a mut dyn Write,
    /// Called with each line of its output that isn't a frame.
    pub printed: &'a mut dyn FnMut(&str),
}

impl<R: BufRead> Conversation<'_, R> {
    /// Has a runner run a step, and executes its statements on this database.
    ///
    /// # Errors
    ///
    /// The step's error, and when the runner exits before the step is done.
    pub fn serve_step(&mut self, request: Request<'_>, db: &mut Db<'_>) -> StepResult {
        let direction = request.direction.name();
        let place = i64::try_from(request.operation)?;
        let args = db.args().iter().map(|(key, value)| Json::texts([key, value])).collect();
        let range = request.range.map(|BatchRange { first, last, number }| {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            [first.clone(), last.clone(), Value::Integer(number)]
        });
        let json = Json::object([
            ("revision", Some(Json::text(request.revision))),
            ("direction", Some(Json::text(direction))),
            ("operation", Some(Json::Int(place))),
            ("step", Some(Json::text(request.step))),
            ("checksum", Some(Json::text(request.checksum))),
            ("dialect", Some(Json::text(db.dialect()))),
            ("args", Some(Json::Array(args))),
            ("range", range.as_ref().map(|range| encode_values(range))),
        ]);
        send(self.input, &json)?;
        while let Some(frame) = self.frames.next(self.printed)? {
            let json = Json::parse(&frame)?;
            if let Some(done) = json.get("done").and_then(Json::as_bool) {
                let why = json.get("why").and_then(Json::as_str).unwrap_or("it gave no reason");
                return if done { Ok(()) } else { Err(why.into()) };
            }
            let params = decode_values(json.get("params").unwrap_or(&Json::Null))?;
            let answer = if let Some(sql) = json.get("execute").and_then(Json::as_str) {
                let changes = |number: u64| Json::Int(i64::try_from(number).unwrap_or(i64::MAX));
                db.execute(sql, params)
                    .map(|count| Json::object([("changes", Some(changes(count)))]).to_string())
            } else if let Some(sql) = json.get("query").and_then(Json::as_str) {
                db.query_rows(sql, &params).map(|found| {
                    let rows = found.rows.iter().map(|row| encode_values(row)).collect();
                    Json::object([
                        ("columns", Some(Json::texts(&found.columns))),
                        ("rows", Some(Json::Array(rows))),
                    ])
                    .to_string()
                })
            } else {
                return Err(format!("its program sent an unknown request: {frame}").into());
            };
            let answer = answer.unwrap_or_else(|err| {
                Json::object([("error", Some(Json::text(err.to_string())))]).to_string()
            });
            send(self.input, &answer)?;
        }
        Err("its program ended before it finished".into())
    }

    /// Has a project's rewriting function rewrite operations.
    ///
    /// # Errors
    ///
    /// When the function panics, exits the program, or returns something that this version doesn't
    /// know.
    pub fn ask_rewrite(
        &mut self,
        operations: &[Operation],
    ) -> Result<Vec<Operation>, Box<dyn std::error::Error + Send + Sync>> {
        let text = operations::encode(operations);
        send(self.input, &Json::object([("operations", Some(Json::text(text)))]))?;
        let Some(frame) = self.frames.next(self.printed)? else {
            return Err("its program ended before it finished".into());
        };
        let json = Json::parse(&frame)?;
        match json.get("operations").and_then(Json::as_str) {
            Some(text) => Ok(operations::decode(text)?),
            None => {
                let why = json.get("why").and_then(Json::as_str).unwrap_or("it gave no reason");
                Err(why.into())
            }
        }
    }
}

fn send(input: &mut dyn Write, json: &dyn fmt::Display) -> std::io::Result<()> {
    writeln!(input, "{json}")?;
    input.flush()
}
