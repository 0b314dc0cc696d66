//! What `lint --fix` makes of a revision: the edited one, or its parts.

use cargo_dbmigrate::internals::autogenerate::divide;
use cargo_dbmigrate::internals::lint::{Editing, Finding, Settled, by_hand, changes};
use cargo_dbmigrate::internals::render::{Contents, Header, module};
use dbmigrate_runtime::engine::dialect::{self, Dialect};
use dbmigrate_runtime::engine::{Backend, Migration, Migrations, recording};

use super::Case;

/// What settles the findings of a case.
#[derive(Default)]
pub struct Fixed {
    /// The rules whose fix was written, each with the operation that it found.
    pub findings: Vec<(&'static str, Option<String>)>,
    /// The modules that the revision becomes.
    pub modules: Vec<(String, String)>,
    /// What is left to a person, with the reason.
    pub left: Vec<String>,
}

impl Fixed {
    /// Writes what the findings of a case ask for, without files.
    pub fn of(case: &Case, migrations: &[Migration], findings: &[Finding]) -> Fixed {
        let [_, (name, text)] = case.modules();
        let known = Migrations::new(migrations.to_vec()).unwrap();
        let backends = Backend::ALL.into_iter().filter(|backend| case.is_for(*backend));
        let dialects: Vec<_> = backends.map(|backend| dialect::of(backend).unwrap()).collect();
        let mut fixed = Fixed::default();
        let mut editing = Editing::new(&known, &dialects, text);
        for finding in findings {
            let Some(way) = finding.fix() else { continue };
            let modules = match editing.settle(finding, way) {
                Ok(Settled::Edited) => Ok(vec![(name.clone(), editing.text.clone())]),
                Ok(Settled::HasToBeDivided) => parts(&known, &name, &dialects),
                Err(why) => Err(why),
            };
            match modules {
                Ok(modules) => {
                    fixed.findings.push((finding.id(), finding.operation.clone()));
                    fixed.modules = modules;
                }
                Err(why) => fixed.left.push(format!("{}: {why}", finding.id())),
            }
            if fixed.modules.len() > 1 {
                break;
            }
        }
        fixed
    }

    /// The bodies of the `upgrade` functions, one after the other.
    pub fn text(&self) -> String {
        let body = |(_, text): &(String, String)| {
            let from = text.find("pub fn upgrade(").unwrap_or(0);
            let lines = text[from..].lines().skip(1).take_while(|line| *line != "}");
            let is_code = |line: &&str| !line.trim().is_empty() && !line.starts_with("    // ###");
            lines.filter(is_code).map(|line| format!("{line}\n")).collect::<String>()
        };
        let bodies: Vec<String> = self.modules.iter().map(body).collect();
        let left: String = self.left.iter().map(|line| format!("by hand: {line}\n")).collect();
        bodies.join("and then:\n") + &left
    }
}

/// The modules of the parts into which a revision is divided.
fn parts(
    migrations: &Migrations,
    id: &str,
    dialects: &[&'static dyn Dialect],
) -> Result<Vec<(String, String)>, String> {
    let (mut schema, changes) = changes(migrations, id)?;
    let divided = divide(&changes, &schema, dialects).map_err(|err| by_hand(&err))?;
    let mut parents = migrations.get(id).unwrap().revision.parents.clone();
    let mut modules = Vec::new();
    for (number, part) in divided.parts.iter().enumerate() {
        let name = format!("{id}_{number}");
        let operations = &part.upgrade.operations;
        let downgrade = part.way_back(&schema, dialects[0], &dialects[1..]);
        let downgrade = downgrade.map_err(|err| err.to_string())?;
        let header = Header {
            id: name.clone(),
            parents,
            message: part.phase.word().to_owned(),
            runtime: "dbmigrate_runtime".to_owned(),
            ..Header::default()
        };
        let contents =
            Contents { upgrade: &part.upgrade, downgrade: &downgrade, is_generated: true };
        modules.push((name.clone(), module(&header, &contents)));
        recording::replay(&mut schema, operations).map_err(|err| err.to_string())?;
        parents = vec![name];
    }
    Ok(modules)
}
