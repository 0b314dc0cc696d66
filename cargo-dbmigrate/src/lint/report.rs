//! Findings for people, for programs, and for the places where code is reviewed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::rule::{Level, Rule};
use super::{Finding, rules};
use crate::output::style;
use crate::paths;

/// Findings as text, each with its file and a hint.
pub fn text<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut text = String::new();
    for finding in findings {
        let (word, colour) = match finding.level {
            Level::Deny => ("denied", style::BAD),
            Level::Warn | Level::Allow => ("warning", style::CHANGED),
        };
        let word = style::paint(colour, &format!("{word}[{}]", finding.rule.id));
        let databases = databases(finding);
        text += &format!(
            "{word}: {}\n  in {}, on {databases}\n  hint: {}\n",
            said(finding),
            finding.file,
            finding.hint
        );
    }
    text
}

/// ``revision `a100`: drop table `user`: its rows are lost``
fn said(finding: &Finding) -> String {
    let Finding { revision, operation, message, .. } = finding;
    let operation = operation.as_ref().map_or(String::new(), |text| format!("{text}: "));
    format!("revision `{revision}`: {operation}{message}")
}

fn databases(finding: &Finding) -> String {
    let titles: Vec<&str> = finding.databases.iter().map(|backend| backend.title()).collect();
    titles.join(", ")
}

/// Findings as parts of a document.
pub fn json(findings: &[Finding]) -> Vec<Value> {
    let object = |finding: &Finding| {
        json!({
            "rule": finding.rule.id,
            "level": finding.level.key(),
            "revision": finding.revision,
            "path": finding.file,
            "operation": finding.operation,
            "message": finding.message,
            "hint": finding.hint,
            "databases": finding.databases.iter().map(|one| one.name()).collect::<Vec<_>>(),
        })
    };
    findings.iter().map(object).collect()
}

/// Findings as SARIF 2.1.0. Paths are relative to the root of the repository, as far as files are
/// in one.
pub fn sarif(findings: &[Finding], package_dir: &Path) -> String {
    let rule = |rule: &&Rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.finds },
            "fullDescription": { "text": rule.why },
            "help": { "text": rule.instead },
            "defaultConfiguration": { "level": sarif_level(rule.level) },
        })
    };
    let result = |finding: &Finding| {
        json!({
            "ruleId": finding.rule.id,
            "level": sarif_level(finding.level),
            "message": { "text": format!("{}\nhint: {}", said(finding), finding.hint) },
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": uri(&in_repository(&finding.file, package_dir)),
                        "uriBaseId": "%SRCROOT%",
                    },
                },
            }],
        })
    };
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dbmigrate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules::RULES.iter().map(rule).collect::<Vec<_>>(),
            } },
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    format!("{document:#}\n")
}

fn sarif_level(level: Level) -> &'static str {
    match level {
        Level::Allow => "none",
        Level::Warn => "warning",
        Level::Deny => "error",
    }
}

/// Findings as commands of a GitHub workflow, which annotate the files of a pull request.
pub fn github(findings: &[Finding], package_dir: &Path) -> String {
    let line = |finding: &Finding| {
        let command = match finding.level {
            Level::Deny => "error",
            Level::Warn | Level::Allow => "warning",
        };
        let file = in_repository(&finding.file, package_dir).replace('\\', "/");
        let message = escaped(&format!("{}\nhint: {}", said(finding), finding.hint));
        let (file, title) = (property(&file), property(finding.rule.id));
        format!("::{command} file={file},title={title}::{message}\n")
    };
    findings.iter().map(line).collect()
}

/// The message of a workflow command.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// The path of a file from the root of its repository; from the package if it is in none.
fn in_repository(file: &str, package_dir: &Path) -> String {
    let path: PathBuf = paths::clean(&package_dir.join(file));
    let root = package_dir.ancestors().find(|dir| dir.join(".git").exists());
    let root = root.unwrap_or(package_dir);
    path.strip_prefix(root).unwrap_or(&path).display().to_string()
}

/// A relative path as a URI.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let path = path.replace('\\', "/");
    let part = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.bytes().map(part).collect()
}
