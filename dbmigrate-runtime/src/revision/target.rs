//! What a person's words for a revision name.

use std::collections::BTreeSet;

use super::{Graph, GraphError};

/// The revisions that a command works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Before the first revision.
    Base,
    /// These revisions; one but for `heads` and `current`.
    Revisions(Vec<String>),
}

impl Target {
    fn one(id: &str) -> Target {
        Target::Revisions(vec![id.to_owned()])
    }

    /// The revisions, none for the base.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Target::Base => Vec::new(),
            Target::Revisions(ids) => ids.iter().map(String::as_str).collect(),
        }
    }
}

/// A range `a:b` of revisions; a side that isn't given is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub from: Option<String>,
    /// Where it ends.
    pub to: Option<String>,
}

impl Range {
    /// Reads `a:b`, `a:` or `:b`; `None` when there is no `:`.
    pub fn parse(text: &str) -> Option<Range> {
        let (from, to) = text.split_once(':')?;
        let side = |it: &str| (!it.is_empty()).then(|| it.to_owned());
        Some(Range { from: side(from), to: side(to) })
    }
}

impl Graph {
    /// The revision that an identifier names, or `None` for the base. Without a database: `current`
    /// and a bare `+N` or `-N` are no identifiers here.
    ///
    /// # Errors
    ///
    /// When it names none, or several.
    pub fn resolve(&self, identifier: &str) -> Result<Option<&str>, GraphError> {
        match self.target(identifier, None)? {
            Target::Base => Ok(None),
            Target::Revisions(ids) => match ids.as_slice() {
                [id] => Ok(self.get(id).map(|it| it.id.as_str())),
                _ => Err(several(identifier, &ids)),
            },
        }
    }

    /// What an identifier names: a full id or an unambiguous beginning of one, `head`, `heads`,
    /// `base`, `current`, `+N` and `-N` from what is applied, and `+N` and `-N` behind any of them.
    ///
    /// # Errors
    ///
    /// When it names nothing, or more than it may.
    pub fn target(
        &self,
        identifier: &str,
        applied: Option<&BTreeSet<String>>,
    ) -> Result<Target, GraphError> {
        let (name, steps) = split_relative(identifier);
        let start = match (name, steps) {
            ("", Some(steps)) => match self.current_target(applied, identifier)? {
                // From several heads there is no one way down, but there may be one way up.
                Target::Revisions(ids) if ids.len() > 1 => {
                    return Err(several("current", &ids)
                        .hint(format!("name a revision, such as `{}{steps:+}`", ids[0])));
                }
                it => it,
            },
            ("", None) => {
                return Err(GraphError::new("the revision's identifier is empty"));
            }
            (name, _) => self.named(name, applied)?,
        };
        match steps {
            None => Ok(start),
            Some(steps) => self.walk(start, steps, identifier),
        }
    }

    fn named(&self, name: &str, applied: Option<&BTreeSet<String>>) -> Result<Target, GraphError> {
        match name {
            "base" => return Ok(Target::Base),
            "current" => return self.current_target(applied, name),
            "heads" | "head" => {
                let heads: Vec<String> = self.heads().into_iter().map(str::to_owned).collect();
                return match heads.len() {
                    0 => Ok(Target::Base),
                    n if n > 1 && name == "head" => Err(several(name, &heads).hint(
                        "name one of them, take `heads` for all, or join them with `cargo \
                         dbmigrate merge`",
                    )),
                    _ => Ok(Target::Revisions(heads)),
                };
            }
            _ => {}
        }
        if let Some(it) = self.get(name).or_else(|| self.labelled(name)) {
            return Ok(Target::one(&it.id));
        }
        let found = self.revisions.iter().filter(|it| it.id.starts_with(name));
        let found: Vec<_> = found.collect();
        match found.as_slice() {
            [it] => Ok(Target::one(&it.id)),
            [] => Err(GraphError::new(format!("no revision `{name}` in this project"))
                .hint("`cargo dbmigrate history` lists them")),
            several => {
                let mut message = format!("several revisions begin with `{name}`:");
                for it in several {
                    message += &format!("\n  {}  {}", it.id, it.message);
                }
                Err(GraphError::new(message).hint("give more of the id"))
            }
        }
    }

    fn current_target(
        &self,
        applied: Option<&BTreeSet<String>>,
        identifier: &str,
    ) -> Result<Target, GraphError> {
        let Some(applied) = applied else {
            let message = format!("`{identifier}` is counted from a database, and none is at hand");
            return Err(GraphError::new(message).hint("name a revision"));
        };
        let current = self.current(applied);
        Ok(match current.as_slice() {
            [] => Target::Base,
            ids => Target::Revisions(ids.iter().map(|it| (*it).to_owned()).collect()),
        })
    }

    fn walk(&self, start: Target, steps: i64, identifier: &str) -> Result<Target, GraphError> {
        let too_far = |n: u64| {
            let way = if steps > 0 { "after" } else { "before" };
            let message = format!(
                "`{identifier}` goes too far: there are only {n} revisions {way} its start"
            );
            GraphError::new(message.replace("only 1 revisions", "only 1 revision"))
                .hint("`cargo dbmigrate history` lists them")
        };
        let mut at = start;
        for n in 0..steps.unsigned_abs() {
            let next: Vec<String> = match (&at, steps > 0) {
                (Target::Base, false) => return Err(too_far(n)),
                (Target::Base, true) => {
                    let bases = self.revisions.iter().filter(|it| it.parents.is_empty());
                    bases.map(|it| it.id.clone()).collect()
                }
                (Target::Revisions(ids), true) => {
                    ids.iter().flat_map(|it| self.children(it)).cloned().collect()
                }
                (Target::Revisions(ids), false) => {
                    let parents = ids.iter().filter_map(|it| self.get(it));
                    let parents: Vec<_> =
                        parents.flat_map(|it| it.parents.iter().cloned()).collect();
                    if parents.is_empty() {
                        at = Target::Base;
                        continue;
                    }
                    parents
                }
            };
            at = match next.as_slice() {
                [] => return Err(too_far(n)),
                [id] => Target::one(id),
                ids => return Err(several(identifier, ids).hint("name one of them")),
            };
        }
        Ok(at)
    }
}

fn several(identifier: &str, ids: &[String]) -> GraphError {
    GraphError::new(format!("`{identifier}` names several revisions: `{}`", ids.join("`, `")))
}

/// Splits `id+2`, `head-1`, `+1` into name and steps. Ids have neither sign in them.
fn split_relative(identifier: &str) -> (&str, Option<i64>) {
    let Some(at) = identifier.rfind(['+', '-']) else { return (identifier, None) };
    match identifier[at..].parse() {
        Ok(steps) => (&identifier[..at], Some(steps)),
        Err(_) => (identifier, None),
    }
}
