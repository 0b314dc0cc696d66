//! Mistakes and their error messages.
//!
//! Each file in `errors/` is a module of cases. The expected error of a line follows `//~ error:`
//! at its end (or `//~^ error:` on the next line, and `//~| error:` on the lines after that): a
//! part of our own message, whatever rustc writes around it. Any other error or warning in the file
//! fails the test.
//!
//! Each folder is checked as one crate, since the compiler stops after a phase that found errors:
//! `syntax` contains what the macros find, `types` what trait resolution finds, and `constants`
//! what the evaluation of constants finds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fixture::Fixture;

#[test]
fn mistakes_that_the_macros_find() {
    check("syntax");
}

#[test]
fn mistakes_that_trait_resolution_finds() {
    check("types");
}

#[test]
fn mistakes_that_constants_find() {
    check("constants");
}

/// An error at a line of a case's file.
#[derive(Debug)]
struct Error {
    file: String,
    line: u64,
    text: String,
}

/// Checks a folder of cases: every expected error is reported, and no other.
#[track_caller]
fn check(folder: &str) {
    let fixture = Fixture::new(&format!("derive_errors_{folder}"), "2021", "");
    let mut expected = Vec::new();
    let mut lib = "#![allow(dead_code)]\n".to_owned();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("derive/errors").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        expected.extend(annotations(&format!("src/{name}"), &text));
        fixture.write(&format!("src/{name}"), &text);
        lib.push_str(&format!("mod {};\n", name.trim_end_matches(".rs")));
    }
    fixture.write("src/lib.rs", &lib);

    let mut report = String::new();
    let mut messages = fixture.cargo("check", &[]);
    // Cargo shows equal messages once; a struct that isn't a model is reported at each use.
    let mut seen = BTreeSet::new();
    messages.retain(|value| seen.insert(value["message"]["rendered"].to_string()));
    for error in messages.iter().filter_map(error) {
        let found = expected.iter().position(|err| {
            err.file == error.file && err.line == error.line && error.text.contains(&err.text)
        });
        match found {
            Some(idx) => drop(expected.remove(idx)),
            None => {
                report += &format!("unexpected: {}:{}: {}\n", error.file, error.line, error.text)
            }
        }
    }
    for error in expected {
        report += &format!("missing: {}:{}: {}\n", error.file, error.line, error.text);
    }
    assert!(report.is_empty(), "\n{report}");
}

/// The errors that a file's annotations expect.
fn annotations(file: &str, text: &str) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut last = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let Some((_, annotation)) = line.split_once("//~") else { continue };
        let (place, text) = annotation.split_once("error: ").expect("`//~ error: text`");
        last = match place.trim() {
            "" => number,
            "^" => number - 1,
            "|" => last,
            place => panic!("an annotation has `^`, `|` or nothing, and no `{place}`"),
        };
        errors.push(Error { file: file.to_owned(), line: last, text: text.to_owned() });
    }
    errors
}

/// The error in one of cargo's messages, if there is one.
fn error(message: &Value) -> Option<Error> {
    let message = &message["message"];
    if message["level"] != "error" || message["spans"].as_array()?.is_empty() {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|value| value["is_primary"] == true)?;
    // An older compiler has the text of a panic in the label.
    let labels = spans.iter().filter_map(|value| value["label"].as_str());
    let text = labels.fold(message["message"].to_string(), |text, label| text + "; " + label);
    Some(Error {
        file: primary["file_name"].as_str()?.replace('\\', "/"),
        line: primary["line_start"].as_u64()?,
        text: text.replace("\\\"", "\""),
    })
}
