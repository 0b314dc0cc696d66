//! The format of a new revision's file, by dbmigrate.toml: its name, its times and its text.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::config;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::render::{self, Contents, Header, Template};

/// The parts of a file's name that come from the time, in `strftime`'s notation.
const TIMES: [(&str, &str); 7] = [
    ("year", "%Y"),
    ("month", "%m"),
    ("day", "%d"),
    ("hour", "%H"),
    ("minute", "%M"),
    ("second", "%S"),
    ("epoch", "%s"),
];

/// The other parts.
const REV: &str = "rev";
const SLUG: &str = "slug";

/// The settings for a new file.
pub struct FileFormat {
    zone: TimeZone,
    file_template: String,
    slug_length: usize,
    /// Whether subdirectories of the locations are searched for revisions.
    deep: bool,
    /// `None` for the built-in template.
    template: Option<Template>,
}

impl FileFormat {
    /// Reads the settings. Commands that build the host do this first, since building takes
    /// longest.
    ///
    /// # Errors
    ///
    /// A time zone or a placeholder that doesn't exist.
    pub fn of(cx: &Context) -> Result<FileFormat> {
        let zone = zone(cx)?;
        let file_template = cx.config.file_template.clone();
        let is_known =
            |text: &str| text == REV || text == SLUG || TIMES.iter().any(|(name, _)| *name == text);
        if let Err(name) = expand(&file_template, |name| is_known(name).then(String::new)) {
            let known = TIMES.iter().map(|(name, _)| *name).chain([REV, SLUG]);
            let known: Vec<_> = known.map(|name| format!("`{{{name}}}`")).collect();
            let message = format!(
                "unknown placeholder `{{{name}}}` in `file_template = {file_template:?}` of {}",
                settings(cx)
            );
            return Err(Error::new(message).hint(format!("known are {}", known.join(", "))));
        }
        let slug_length = cx.config.truncate_slug_length;
        let deep = cx.config.recursive_version_locations;
        Ok(FileFormat { zone, file_template, slug_length, deep, template: template(cx)? })
    }

    /// The current time in the configured time zone.
    pub fn now(&self) -> Zoned {
        Timestamp::now().to_zoned(self.zone.clone())
    }

    /// A time in the configured time zone.
    pub fn at(&self, time: Timestamp) -> Zoned {
        time.to_zoned(self.zone.clone())
    }

    /// The text of a file.
    ///
    /// # Errors
    ///
    /// When the template doesn't produce this revision.
    pub fn text(&self, header: &Header, contents: &Contents<'_>) -> Result<String> {
        match &self.template {
            None => Ok(render::module(header, contents)),
            Some(template) => render::module_of(template, header, contents),
        }
    }

    /// The name of a file, with directories before it if subdirectories are searched.
    ///
    /// # Errors
    ///
    /// When it can't be the name of a module.
    pub fn file_name(&self, now: &Zoned, id: &str, message: &str) -> Result<PathBuf> {
        let value = |name: &str| match name {
            REV => Some(id.to_owned()),
            SLUG => Some(slug(message, self.slug_length)),
            name => {
                let (_, format) = TIMES.iter().find(|(known, _)| *known == name)?;
                Some(now.strftime(format).to_string())
            }
        };
        let name = expand(&self.file_template, value).unwrap_or_default();
        let (dir, name) = match name.rsplit_once('/') {
            None => ("", name.as_str()),
            Some(_) if !self.deep => {
                let message = format!("`file_template` gives `{name}`, which is in a directory");
                return Err(Error::new(message).hint(
                    "set `recursive_version_locations = true` in dbmigrate.toml to have revisions \
                     in directories below the version locations",
                ));
            }
            Some((dir, name)) => (dir, name),
        };
        let is_invalid = |part: &&str| part.is_empty() || part.starts_with('.');
        if let Some(part) = dir.split('/').find(is_invalid).filter(|_| !dir.is_empty()) {
            let message =
                format!("`file_template` gives the directory `{dir}`, where `{part}` can't be one");
            return Err(Error::new(message).hint("it is relative to the version location"));
        }
        let name = name.trim_end_matches('_');
        if name == "mod" || syn::parse_str::<syn::Ident>(name).is_err() {
            return Err(Error::new(format!(
                "`file_template` gives `{name}`, which can't be a module's name"
            ))
            .hint(
                "a module's name consists of letters, digits and `_`, and begins with a letter",
            ));
        }
        Ok(Path::new(dir).join(format!("{name}.rs")))
    }
}

/// A date as written in a revision's header: `2024-10-15 14:54:59 UTC`.
pub fn date(now: &Zoned) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The path of the settings file, for messages.
pub fn settings(cx: &Context) -> String {
    cx.project.shown(&config::path(&cx.project.config_dir)).to_string()
}

fn zone(cx: &Context) -> Result<TimeZone> {
    let name = cx.config.timezone.as_str();
    let zone = if name.eq_ignore_ascii_case("local") {
        match TimeZone::try_system() {
            // A machine without a configured time zone uses UTC.
            Err(_) if std::env::var_os("TZ").is_none_or(|value| value.is_empty()) => {
                Ok(TimeZone::UTC)
            }
            res => res,
        }
    } else {
        TimeZone::get(name)
    };
    let hint = "use the name of a time zone, such as `UTC` or `Europe/Berlin`; `local` is the \
                machine's own";
    match zone {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        res => {
            let message = format!("`timezone = {name:?}` of {} is not a time zone", settings(cx));
            let err = Error::new(message);
            let err = if let Err(cause) = res { err.cause(cause) } else { err };
            Err(err.hint(hint))
        }
    }
}

fn template(cx: &Context) -> Result<Option<Template>> {
    let name = &cx.config.module_template;
    if name.is_empty() {
        return Ok(None);
    }
    let path = cx.project.config_dir.join(name);
    let shown = cx.project.shown(&path).to_string();
    let text = std::fs::read_to_string(&path);
    let text = text.doing(|| format!("read the template `{shown}`")).map_err(|err| {
        err.hint(format!(
            "`module_template` of {} names it; \"\" is the built-in one",
            settings(cx)
        ))
    })?;
    Template::parse(&shown, &text).map(Some)
}

/// A template with each `{name}` replaced by its value, or the name that has no value.
fn expand(
    template: &str,
    value: impl Fn(&str) -> Option<String>,
) -> std::result::Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        let Some((name, after)) = after.split_once('}') else {
            // An unclosed brace can't be in the name of a module either.
            text.push('{');
            rest = after;
            break;
        };
        text += &value(name).ok_or_else(|| name.to_owned())?;
        rest = after;
    }
    Ok(text + rest)
}

/// The words of a message in lower case, joined by `_` and cut between words.
fn slug(message: &str, limit: usize) -> String {
    let words = message.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
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
    fn a_date_has_the_zone_s_abbreviation_or_offset() {
        let at = |zone: &str| date(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::get(zone).unwrap()));
        assert_eq!(at("UTC"), "1970-01-01 00:00:00 UTC");
        assert_eq!(at("europe/berlin"), "1970-01-01 01:00:00 CET");
        assert_eq!(at("Asia/Kathmandu"), "1970-01-01 05:30:00 +0530");
    }

    #[test]
    fn a_placeholder_is_replaced_once() {
        let value = |name: &str| (name == "slug").then(|| "{rev}".to_owned());
        assert_eq!(expand("m_{slug}", value), Ok("m_{rev}".to_owned()));
        assert_eq!(expand("m_{slog}_{slug}", value), Err("slog".to_owned()));
        assert_eq!(expand("m_{slug}_{rev", value), Ok("m_{rev}_{rev".to_owned()));
    }
}
