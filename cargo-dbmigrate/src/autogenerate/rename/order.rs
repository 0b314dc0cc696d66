//! Orders renames of one kind so that each of them can run.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::folding::Case;
use dbmigrate_runtime::engine::naming;

use crate::error::{Error, Result};

/// The names of all tables, or of one table's columns.
#[derive(Debug)]
pub struct Names<'a> {
    /// `table` or `column`
    pub what: &'static str,
    /// The prefix of a name in messages and flags: `user.` for columns.
    pub prefix: String,
    /// The names before.
    pub have: BTreeSet<&'a str>,
    /// The names after.
    pub want: BTreeSet<&'a str>,
    /// Names before that the settings leave out of the comparison.
    pub have_left_out: BTreeSet<&'a str>,
    /// Names after that the settings leave out of the comparison.
    pub want_left_out: BTreeSet<&'a str>,
    /// When two names are the same to the database.
    pub case: Case,
    /// Whether a name can be changed directly to one that differs only in case.
    pub through_another_case: bool,
}

impl Names<'_> {
    /// Whether the name exists before, compared or not.
    fn has(&self, name: &str) -> bool {
        self.have.contains(name) || self.have_left_out.contains(name)
    }

    /// Another existing name, compared or not, that is the same to the database as the new name of
    /// a rename, so that the rename can't run.
    fn in_the_way(&self, old: &str, new: &str) -> Option<&str> {
        let mut names = self.have.iter().chain(&self.have_left_out);
        names.find(|name| **name != old && self.case.same(name, new)).copied()
    }
}

/// A declared rename.
#[derive(Debug, Clone)]
pub struct Declared {
    pub old: String,
    pub new: String,
    by: By,
}

/// Where a rename is declared.
#[derive(Debug, Clone)]
enum By {
    /// In a flag, which is about the present.
    Flag(String),
    /// In `renamed_from` of a model, at this location. It may have been done long ago.
    Model(String),
    /// Nowhere: the names differ only in case.
    Case,
}

impl Declared {
    pub fn by_model(place: &str, old: &str, new: &str) -> Declared {
        Declared { old: old.to_owned(), new: new.to_owned(), by: By::Model(place.to_owned()) }
    }

    pub fn by_flag(flag: &str, old: &str, new: &str) -> Declared {
        Declared { old: old.to_owned(), new: new.to_owned(), by: By::Flag(flag.to_owned()) }
    }

    fn by_case(old: &str, new: &str) -> Declared {
        Declared { old: old.to_owned(), new: new.to_owned(), by: By::Case }
    }

    fn is_flag(&self) -> bool {
        matches!(self.by, By::Flag(_))
    }

    /// The declaration with its location, as the beginning of a message.
    pub fn instruction(&self) -> String {
        match &self.by {
            By::Flag(text) => format!("--rename {text}"),
            By::Model(place) => format!("`renamed_from = \"{}\"` at {place}", self.old),
            By::Case => format!("`{}` in the case of `{}`", self.old, self.new),
        }
    }
}

/// The result of ordering renames.
#[derive(Debug, Default)]
pub struct Renamed {
    /// Old and new names.
    pub pairs: Vec<(String, String)>,
    /// The renames, one after the other, through a temporary name if two names are swapped.
    pub steps: Vec<(String, String)>,
    /// Declarations in models about unknown names: the old name was never built, and the new one
    /// doesn't exist either.
    pub unknown: Vec<Declared>,
    /// Warnings about declarations in models that a flag overrules.
    pub overruled: Vec<String>,
}

/// Keeps the renames that still have to be done, and finds an order for them.
///
/// # Errors
///
/// Renames that contradict each other or can't be done, and names that models swap, since the
/// result would look the same as before.
pub fn order(names: &Names<'_>, declared: Vec<Declared>) -> Result<Renamed> {
    declared.iter().try_for_each(|declared| possible(names, declared))?;
    let (unknown, mut open): (Vec<Declared>, Vec<Declared>) = (declared.into_iter())
        .filter(|declared| names.want.contains(declared.new.as_str()))
        .partition(|declared| !names.has(&declared.old) && !names.has(&declared.new));
    open.retain(|declared| names.have.contains(declared.old.as_str()));
    leave_out_done(names, &mut open)?;
    let Distinct { mut open, overruled } = distinct(names, open)?;
    // A rename that a flag overrides may have been the one that would have freed a name.
    leave_out_done(names, &mut open)?;
    let in_circle: Vec<&Declared> =
        open.iter().filter(|declared| is_in_circle(declared, &open)).collect();
    if !in_circle.is_empty() && !in_circle.iter().any(|declared| declared.is_flag()) {
        return Err(circle(names, &in_circle));
    }
    for old in names.have.difference(&names.want) {
        let is_free =
            |name: &str| !open.iter().any(|declared| declared.old == name || declared.new == name);
        let new = names.want.iter().find(|new| {
            names.in_the_way(old, new).is_none() && old.to_lowercase() == new.to_lowercase()
        });
        if let Some(new) = new.filter(|new| is_free(old) && is_free(new)) {
            open.push(Declared::by_case(old, new));
        }
    }
    let pairs = open.iter().map(|rename| (rename.old.clone(), rename.new.clone())).collect();
    let overruled = overruled.iter().map(|overruled| overruled.warning(names, &open)).collect();
    Ok(Renamed { pairs, steps: steps(names, open), unknown, overruled })
}

/// Removes the renames that were already done: the new name exists, and no other rename frees it.
fn leave_out_done(names: &Names<'_>, open: &mut Vec<Declared>) -> Result<()> {
    loop {
        let leaves = |name: &str| open.iter().any(|declared| declared.old == name);
        let taken = open.iter().enumerate().find_map(|(idx, declared)| {
            let taken = names.in_the_way(&declared.old, &declared.new)?;
            (!leaves(taken)).then_some((idx, taken))
        });
        let Some((idx, taken)) = taken else { return Ok(()) };
        let declared = open.remove(idx);
        if declared.is_flag() || !names.want.contains(declared.old.as_str()) {
            return Err(new_name_is_taken(names, &declared, taken));
        }
    }
}

/// Fails if a rename can't be done regardless of the others.
fn possible(names: &Names<'_>, declared: &Declared) -> Result<()> {
    let Names { what, prefix, .. } = names;
    let (old, new) = (declared.old.as_str(), declared.new.as_str());
    if old == new {
        let message = format!("{}: this is the {what}'s own name", declared.instruction());
        return Err(Error::new(message).hint("write the name that it had before, or remove it"));
    }
    let left_out = if names.have_left_out.contains(old) {
        old
    } else if names.want_left_out.contains(new) {
        new
    } else {
        return Ok(());
    };
    // If the new name already exists, the rename was done long ago.
    if !names.has(old) || names.has(new) && !declared.is_flag() {
        return Ok(());
    }
    Err(Error::new(format!(
        "{}: `include` or `exclude` leaves the {what} `{prefix}{left_out}` out of the comparison, \
         so it can't be renamed",
        declared.instruction()
    ))
    .hint(
        "have `include` and `exclude` in dbmigrate.toml cover it, or remove the instruction and \
         rename it by hand",
    ))
}

/// A rename to a name that something else has, and that it keeps.
fn new_name_is_taken(names: &Names<'_>, declared: &Declared, taken: &str) -> Error {
    let Names { what, prefix, .. } = names;
    let (old, new) = (format!("{prefix}{}", declared.old), format!("{prefix}{taken}"));
    let message =
        format!("{}: the migrations already have a {what} `{new}`", declared.instruction());
    let error = Error::new(message);
    match declared.by {
        By::Flag(_) => error.hint("rename or drop that one first"),
        _ => error.hint(format!(
            "if `{old}` became `{new}` long ago, remove `renamed_from` from the model, and `{old}` \
             is dropped; if `{old}` is to take the place of `{new}`, drop `{new}` in a revision of \
             its own first: run `migrate` with `{old}` in the models and without `{new}`"
        )),
    }
}

/// Renames without duplicates.
struct Distinct {
    open: Vec<Declared>,
    overruled: Vec<Overruled>,
}

/// A declaration in a model, and the flag that says otherwise.
struct Overruled {
    flag: Declared,
    model: Declared,
}

impl Overruled {
    /// Which declaration the flag overrules, and what becomes of both names in it.
    fn warning(&self, names: &Names<'_>, open: &[Declared]) -> String {
        let Names { what, prefix, .. } = names;
        let Declared { old, new, .. } = &self.model;
        let source = open.iter().find(|rename| rename.new == *new);
        let target = open.iter().find(|rename| rename.old == *old);
        let is_kept = |name: &str| names.have.contains(name) && names.want.contains(name);
        let of_new = match source {
            Some(rename) => format!("is renamed from `{prefix}{}`", rename.old),
            None if is_kept(new) => "stays as it is".to_owned(),
            None if *what == "table" => "is created empty".to_owned(),
            None => "is added as a new one".to_owned(),
        };
        let of_old = match target {
            Some(rename) => format!("is renamed to `{prefix}{}`", rename.new),
            None if is_kept(old) => "stays as it is".to_owned(),
            None => "is dropped".to_owned(),
        };
        format!(
            "{} overrules {}: the {what} `{prefix}{new}` {of_new}, and `{prefix}{old}` {of_old}",
            self.flag.instruction(),
            self.model.instruction()
        )
    }
}

/// Removes duplicates, preferring flags to models; two renames of one name contradict each other.
fn distinct(names: &Names<'_>, mut declared: Vec<Declared>) -> Result<Distinct> {
    declared.sort_by_key(|declared| !declared.is_flag());
    let mut open: Vec<Declared> = Vec::new();
    let mut overruled = Vec::new();
    for rename in declared {
        let other = open.iter().find(|other| other.old == rename.old || other.new == rename.new);
        match other {
            None => open.push(rename),
            Some(other) if other.old == rename.old && other.new == rename.new => {}
            Some(flag) if flag.is_flag() && !rename.is_flag() => {
                overruled.push(Overruled { flag: flag.clone(), model: rename });
            }
            Some(other) => return Err(excluded(names, other, &rename)),
        }
    }
    Ok(Distinct { open, overruled })
}

fn excluded(names: &Names<'_>, one: &Declared, other: &Declared) -> Error {
    let text = |declared: &Declared| {
        let Names { prefix, .. } = names;
        let place = match &declared.by {
            By::Model(place) => format!(" at {place}"),
            _ => String::new(),
        };
        format!("`{prefix}{}` to `{prefix}{}`{place}", declared.old, declared.new)
    };
    let error = Error::new(format!(
        "two renames of a {} contradict each other: {} and {}",
        names.what,
        text(one),
        text(other)
    ));
    if one.is_flag() {
        return error.hint("remove one of the flags");
    }
    error.hint(
        "remove one of them; `renamed_from` can be removed from the model once a revision has the \
         rename",
    )
}

fn is_in_circle(start: &Declared, open: &[Declared]) -> bool {
    let mut at = start;
    for _ in open {
        match open.iter().find(|candidate| candidate.old == at.new) {
            Some(next) if next.old == start.old => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

fn circle(names: &Names<'_>, circle: &[&Declared]) -> Error {
    let Names { what, prefix, .. } = names;
    let olds: Vec<_> = circle.iter().map(|rename| format!("`{prefix}{}`", rename.old)).collect();
    let flags: Vec<_> = circle
        .iter()
        .map(|rename| format!("--rename {prefix}{}:{prefix}{}", rename.old, rename.new))
        .collect();
    Error::new(format!(
        "the {what}s {} swap names by `renamed_from`, but whether they already have can't be told",
        olds.join(" and ")
    ))
    .hint(format!(
        "remove `renamed_from` from the models, and if the names are still to be swapped, pass {}",
        flags.join(" ")
    ))
}

/// Runs each rename once its new name is free. If none is free, one goes through a temporary name.
fn steps(names: &Names<'_>, mut open: Vec<Declared>) -> Vec<(String, String)> {
    let mut have: BTreeSet<String> = names.have.iter().map(|name| (*name).to_owned()).collect();
    let mut steps = Vec::new();
    while !open.is_empty() {
        let is_in_the_way = |name: &str, declared: &Declared| {
            names.case.same(name, &declared.new)
                && !(names.through_another_case && name == declared.old)
        };
        let is_free = |declared: &Declared| !have.iter().any(|name| is_in_the_way(name, declared));
        // Another rename waits for this one's old name. None waits for a temporary name, so each
        // rename goes through at most one.
        let is_awaited =
            |declared: &Declared| open.iter().any(|waiting| is_in_the_way(&declared.old, waiting));
        let step = match (open.iter().position(is_free), open.iter().position(is_awaited)) {
            (None, Some(idx)) => {
                let is_taken = |name: &str| {
                    let left_out = names.have_left_out.iter().chain(&names.want_left_out);
                    let wanted = names.want.iter().chain(left_out).copied();
                    let mut all = have.iter().map(String::as_str).chain(wanted);
                    all.any(|other| names.case.same(other, name))
                };
                let declared = &mut open[idx];
                let mut between = naming::limited(format!("{}_was", declared.old));
                while is_taken(&between) {
                    between += "_";
                }
                (std::mem::replace(&mut declared.old, between.clone()), between)
            }
            (free, _) => {
                let declared = open.remove(free.unwrap_or_default());
                (declared.old, declared.new)
            }
        };
        have.remove(&step.0);
        have.insert(step.1.clone());
        steps.push(step);
    }
    steps
}
