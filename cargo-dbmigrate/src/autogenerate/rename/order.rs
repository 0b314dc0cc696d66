//! Renames among names of one kind, in an order in which each can run.

use std::collections::BTreeSet;

use dbmigrate_runtime::schema::naming;

use crate::error::{Error, Result};

/// The names of all tables, or of one table's columns.
#[derive(Debug)]
pub struct Names<'a> {
    /// `table` or `column`
    pub what: &'static str,
    /// What stands before a name in messages and flags: `user.` for columns.
    pub prefix: String,
    /// The names that there are.
    pub have: BTreeSet<&'a str>,
    /// The names that there will be.
    pub want: BTreeSet<&'a str>,
    /// Whether a name can become the same in another case at once.
    pub through_another_case: bool,
}

/// A rename that was said.
#[derive(Debug, Clone)]
pub struct Said {
    old: String,
    new: String,
    /// The flag that says so: what a model says may be long done, a flag means now.
    flag: Option<String>,
}

impl Said {
    pub fn by_model(old: &str, new: &str) -> Said {
        Said { old: old.to_owned(), new: new.to_owned(), flag: None }
    }

    pub fn by_flag(flag: &str, old: &str, new: &str) -> Said {
        Said { flag: Some(flag.to_owned()), ..Said::by_model(old, new) }
    }
}

/// What is renamed.
#[derive(Debug, Default)]
pub struct Renamed {
    /// What is called how in the end.
    pub pairs: Vec<(String, String)>,
    /// The renames one after the other, through other names where two change places.
    pub steps: Vec<(String, String)>,
}

/// Keeps what is still to be done, and finds an order for it.
///
/// # Errors
///
/// Renames that exclude each other, and names that change places by what models say, since
/// afterwards it would look the same as before.
pub fn order(names: &Names<'_>, said: Vec<Said>) -> Result<Renamed> {
    let mut open = said;
    open.retain(|it| names.have.contains(it.old.as_str()) && names.want.contains(it.new.as_str()));
    // What is there under its new name is done, unless that name goes to another.
    loop {
        let leaves = |name: &str| open.iter().any(|it| it.old == name);
        let done =
            open.iter().position(|it| names.have.contains(it.new.as_str()) && !leaves(&it.new));
        let Some(idx) = done else { break };
        let it = open.remove(idx);
        if let Some(flag) = it.flag {
            let new = format!("{}{}", names.prefix, it.new);
            let message =
                format!("--rename {flag}: the migrations build a {} `{new}` already", names.what);
            return Err(Error::new(message).hint("rename or drop that one first"));
        }
    }
    let mut open = distinct(names, open)?;
    let in_circle: Vec<&Said> = open.iter().filter(|it| is_in_circle(it, &open)).collect();
    if !in_circle.is_empty() && in_circle.iter().all(|it| it.flag.is_none()) {
        return Err(circle(names, &in_circle));
    }
    for old in names.have.difference(&names.want) {
        let is_free = |name: &str| !open.iter().any(|it| it.old == name || it.new == name);
        let new = names
            .want
            .iter()
            .find(|new| !names.have.contains(*new) && old.to_lowercase() == new.to_lowercase());
        if let Some(new) = new.filter(|new| is_free(old) && is_free(new)) {
            open.push(Said::by_model(old, new));
        }
    }
    let pairs = open.iter().map(|it| (it.old.clone(), it.new.clone())).collect();
    Ok(Renamed { pairs, steps: steps(names, open) })
}

/// Each once, and a flag before a model; two of one name exclude each other.
fn distinct(names: &Names<'_>, mut said: Vec<Said>) -> Result<Vec<Said>> {
    said.sort_by_key(|it| it.flag.is_none());
    let mut open: Vec<Said> = Vec::new();
    for it in said {
        let other = open.iter().find(|other| other.old == it.old || other.new == it.new);
        match other {
            None => open.push(it),
            Some(other) if other.old == it.old && other.new == it.new => {}
            // The flag overrules the model.
            Some(other) if other.flag.is_some() && it.flag.is_none() => {}
            Some(other) => return Err(excluded(names, other, &it)),
        }
    }
    Ok(open)
}

fn excluded(names: &Names<'_>, one: &Said, other: &Said) -> Error {
    let text = |it: &Said| {
        let Names { prefix, .. } = names;
        format!("`{prefix}{}` to `{prefix}{}`", it.old, it.new)
    };
    Error::new(format!(
        "two renames of a {} exclude each other: {} and {}",
        names.what,
        text(one),
        text(other)
    ))
    .hint("take one of them back; `renamed_from` can go from the model once it is done")
}

fn is_in_circle(start: &Said, open: &[Said]) -> bool {
    let mut at = start;
    for _ in open {
        match open.iter().find(|it| it.old == at.new) {
            Some(next) if next.old == start.old => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

fn circle(names: &Names<'_>, circle: &[&Said]) -> Error {
    let Names { what, prefix, .. } = names;
    let olds: Vec<_> = circle.iter().map(|it| format!("`{prefix}{}`", it.old)).collect();
    let flags: Vec<_> =
        circle.iter().map(|it| format!("--rename {prefix}{}:{prefix}{}", it.old, it.new)).collect();
    Error::new(format!(
        "the {what}s {} change places by `renamed_from`, and whether they have done so can't be \
         seen",
        olds.join(" and ")
    ))
    .hint(format!(
        "take `renamed_from` out of the models, and if they have yet to do so, pass {}",
        flags.join(" ")
    ))
}

/// Each rename when its new name is free; where none is, one goes through another name.
fn steps(names: &Names<'_>, mut open: Vec<Said>) -> Vec<(String, String)> {
    let mut have: BTreeSet<String> = names.have.iter().map(|it| (*it).to_owned()).collect();
    let mut steps = Vec::new();
    while !open.is_empty() {
        let is_free = |it: &Said| {
            // Databases find a name in another case, too.
            !have.iter().any(|name| {
                name.eq_ignore_ascii_case(&it.new)
                    && !(names.through_another_case && *name == it.old)
            })
        };
        let idx = open.iter().position(is_free);
        let step = match idx {
            Some(idx) => {
                let it = open.remove(idx);
                (it.old, it.new)
            }
            None => {
                let it = &mut open[0];
                let is_taken = |name: &str| {
                    let mut all = have.iter().map(String::as_str).chain(names.want.iter().copied());
                    all.any(|it| it.eq_ignore_ascii_case(name))
                };
                let mut between = naming::limited(format!("{}_was", it.old));
                while is_taken(&between) {
                    between += "_";
                }
                (std::mem::replace(&mut it.old, between.clone()), between)
            }
        };
        have.remove(&step.0);
        have.insert(step.1.clone());
        steps.push(step);
    }
    steps
}
