//! Where a new revision goes in the history, and the file that it is written to.

use dbmigrate_runtime::revision;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::autogenerate::Commented;
use crate::cli;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::{self, History, VERSIONS};
use crate::{render, scaffold};

/// A new revision's place.
pub struct Place {
    pub id: String,
    pub parents: Vec<String>,
    pub branch_labels: Vec<String>,
    pub depends_on: Vec<String>,
    /// The revisions that it replaces.
    pub replaces: Vec<String>,
}

/// What came of it: the file's path, or, in a dry run, its text.
pub struct Written {
    pub path: Option<String>,
    pub text: Option<String>,
}

impl Place {
    /// The place that these arguments say; the head where they say nothing.
    ///
    /// # Errors
    ///
    /// What isn't there, what is there already, and a branch that nobody asked for.
    pub fn of(cx: &Context, history: &History, args: &cli::Place) -> Result<Place> {
        let graph = &history.graph;
        let parents = match args.head.as_deref() {
            Some(head) => {
                let (history, applied) = history.to_understand(cx, &[head])?;
                let target = history.graph.target(head, applied.as_ref())?;
                let ids: Vec<String> = target.ids().into_iter().map(str::to_owned).collect();
                match ids.len() {
                    0 | 1 => ids,
                    _ => return Err(several(&history, &target.ids())),
                }
            }
            None => match graph.heads().as_slice() {
                heads if heads.len() > 1 => return Err(several(history, heads)),
                heads => heads.iter().map(|it| (*it).to_owned()).collect(),
            },
        };
        if !args.splice {
            refuse_splice(history, &parents)?;
        }
        let depends_on = depends_on(cx, history, &parents, &args.depends_on)?;
        Place::new(history, parents, &args.branch_label, args.rev_id.as_ref(), depends_on)
    }

    /// A place behind these revisions.
    ///
    /// # Errors
    ///
    /// An id or a label that is there already, or can't be one.
    pub fn new(
        history: &History,
        parents: Vec<String>,
        branch_labels: &[String],
        rev_id: Option<&String>,
        depends_on: Vec<String>,
    ) -> Result<Place> {
        let graph = &history.graph;
        for label in branch_labels {
            revision::check_label(label)?;
            if let Some(it) = graph.labelled(label).or_else(|| graph.find(label)) {
                let is_label = it.branch_labels.contains(label);
                let what = if is_label { "branch label" } else { "id" };
                let message = format!(
                    "`{label}` is the {what} of revision `{}` already, in {}",
                    it.id, it.file
                );
                return Err(Error::new(message).hint("choose another with --branch-label"));
            }
        }
        let id = match rev_id {
            Some(id) => {
                check_id(id)?;
                id.clone()
            }
            None => random_id()?,
        };
        if let Some(other) = graph.find(&id) {
            return Err(Error::new(format!("revision `{id}` already exists, in {}", other.file))
                .hint("choose another id with --rev-id"));
        }
        if let Some(other) = graph.labelled(&id) {
            let message = format!("`{id}` is a branch label already, in {}", other.file);
            return Err(Error::new(message).hint("choose another id with --rev-id"));
        }
        let branch_labels = branch_labels.to_vec();
        Ok(Place { id, parents, branch_labels, depends_on, replaces: Vec::new() })
    }

    /// Writes the file and enters it in the list; a dry run prints it instead.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn write(
        &self,
        cx: &Context,
        message: &str,
        upgrade: &Commented,
        downgrade: &Commented,
        (generated, dry_run): (bool, bool),
    ) -> Result<Written> {
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        let header = render::Header {
            id: self.id.clone(),
            parents: self.parents.clone(),
            branch_labels: self.branch_labels.clone(),
            depends_on: self.depends_on.clone(),
            replaces: self.replaces.clone(),
            message: message.to_owned(),
            created: now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        };
        let text = render::module(&header, upgrade, downgrade, generated);
        let file = file_name(cx, &now, &self.id, message)?;
        if dry_run {
            cx.out.text(&text);
            return Ok(Written { path: None, text: Some(text) });
        }
        let versions = cx.project.migrations_dir.join(VERSIONS);
        std::fs::create_dir_all(&versions)
            .doing(|| format!("create the directory `{}`", versions.display()))?;
        let path = versions.join(&file);
        scaffold::write_new(&path, &text)?;
        scaffold::sync_list(cx)?;
        let shown = history::relative(cx, &path);
        cx.out.done(format!("Generating {shown} ... done"));
        Ok(Written { path: Some(shown), text: None })
    }
}

fn several(history: &History, ids: &[&str]) -> Error {
    let listed = history.graph.listed(ids);
    Error::new(format!("a new revision follows one revision, and these are several:{listed}")).hint(
        "say with --head which one, `base` for none of them, or join them with `cargo dbmigrate \
         merge`",
    )
}

/// Fails where a branch would begin.
pub fn refuse_splice(history: &History, parents: &[String]) -> Result<()> {
    for id in parents {
        let children: Vec<&str> = history.graph.children(id).iter().map(String::as_str).collect();
        if !children.is_empty() {
            let listed = history.graph.listed(&children);
            let message = format!("revision `{id}` is not a head, since others follow it:{listed}");
            return Err(Error::new(message)
                .hint("--splice lets the new one follow it as well, which begins a branch"));
        }
    }
    Ok(())
}

/// What is to be written into `DEPENDS_ON`: labels as they are, everything else as full ids.
fn depends_on(
    cx: &Context,
    history: &History,
    parents: &[String],
    identifiers: &[String],
) -> Result<Vec<String>> {
    let graph = &history.graph;
    let mut names: Vec<String> = Vec::new();
    let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
    let before = graph.with_ancestors(&parents);
    for identifier in identifiers {
        let (history, applied) = history.to_understand(cx, &[identifier])?;
        let target = history.graph.target(identifier, applied.as_ref())?;
        if target.ids().is_empty() {
            let message = format!("--depends-on {identifier}: that is before the first revision");
            return Err(Error::new(message).hint("`cargo dbmigrate history` lists the revisions"));
        }
        for id in target.ids() {
            if before.contains(id) {
                cx.out.note(format!(
                    "revision `{id}` comes before the new one anyway, so it is left out of its \
                     dependencies"
                ));
                continue;
            }
            let is_label = graph.labelled(identifier).is_some_and(|it| it.id == id);
            let name = if is_label { identifier.clone() } else { id.to_owned() };
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Ids stand in identifiers such as `id+1` and `a:b`, and in a module's name; `diff` has words of
/// its own.
pub fn check_id(id: &str) -> Result<()> {
    if let "models" | "migrations" | "database" = id {
        return Err(Error::new(format!("`{id}` can't be a revision's id: it has a meaning"))
            .hint("choose another with --rev-id"));
    }
    Ok(revision::check_id(id)?)
}

/// Twelve hexadecimal digits.
fn random_id() -> Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).doing(|| "make a random id".to_owned())?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}

fn file_name(cx: &Context, now: &jiff::Zoned, id: &str, message: &str) -> Result<String> {
    let slug = slug(message, cx.config.truncate_slug_length);
    let template = &cx.config.file_template;
    let name = template
        .replace("{year}", &now.strftime("%Y").to_string())
        .replace("{month}", &now.strftime("%m").to_string())
        .replace("{day}", &now.strftime("%d").to_string())
        .replace("{hour}", &now.strftime("%H").to_string())
        .replace("{minute}", &now.strftime("%M").to_string())
        .replace("{second}", &now.strftime("%S").to_string())
        .replace("{epoch}", &now.timestamp().as_second().to_string())
        .replace("{rev}", id)
        .replace("{slug}", &slug);
    let name = name.trim_end_matches('_');
    if name == "mod" || syn::parse_str::<syn::Ident>(name).is_err() {
        return Err(Error::new(format!(
            "`file_template` gives `{name}`, which can't be a module's name"
        ))
        .hint("a module's name is made of letters, digits and `_` and begins with a letter"));
    }
    Ok(format!("{name}.rs"))
}

/// The words of a message in lower case, joined by `_` and cut between words.
fn slug(message: &str, limit: usize) -> String {
    let words = message.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    let mut slug = String::new();
    for word in words {
        let n = if slug.is_empty() { word.len() } else { slug.len() + 1 + word.len() };
        if n > limit && !slug.is_empty() {
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug.truncate(limit);
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_ascii_and_cut_between_words() {
        assert_eq!(slug("Initial migration.", 40), "initial_migration");
        assert_eq!(slug("some very long message with punctuation, yes", 20), "some_very_long");
        assert_eq!(slug("Größe ändern", 40), "gr_e_ndern");
        assert_eq!(slug("\"; DROP TABLE", 40), "drop_table");
        assert_eq!(slug("", 40), "");
        assert_eq!(slug(&"x".repeat(60), 40).len(), 40);
    }

    #[test]
    fn an_id_with_a_sign_in_it_is_refused_and_each_sign_named() {
        let err = check_id("a-b@c").unwrap_err().to_string();
        assert!(err.contains("`-`, `@`"), "{err}");
        assert!(check_id("ok_1").is_ok());
        assert!(check_id("head").is_err());
    }
}
