//! The versions by which tools tell their migrations apart.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A version, such as `20240131120000`, `7` or `1.2`.
#[derive(Debug, Clone)]
pub struct Version {
    /// As it is written.
    pub text: String,
    /// Whether it is the name of a migration without a version, which runs after all others.
    is_repeatable: bool,
    /// Whether versions are compared as texts.
    is_text: bool,
}

/// How many digits a number has at least if it is a time.
const TIME: usize = 10;

impl Version {
    pub fn new(text: &str) -> Version {
        Version { text: text.to_owned(), is_repeatable: false, is_text: false }
    }

    /// A version that its tool compares as a text, as diesel does.
    pub fn text(text: &str) -> Version {
        Version { is_text: true, ..Version::new(text) }
    }

    /// The version of a migration of sea-orm-migration, which has only a name: its time, if the
    /// name begins with one.
    pub fn of_sea_orm(name: &str) -> Version {
        let parts = sea_orm_parts(name);
        parts.map_or_else(|| Version::new(name), |(time, _)| Version::new(&time))
    }

    /// The rest of such a name, in words.
    pub fn words_of_sea_orm(name: &str) -> String {
        let parts = sea_orm_parts(name);
        parts.map_or(name, |(_, rest)| rest).replace('_', " ")
    }

    /// The version of a migration that has only a name.
    pub fn repeatable(name: &str) -> Version {
        Version { is_repeatable: true, ..Version::new(name) }
    }

    /// Whether this is the id of its revision, however many digits that has.
    pub fn has_id(&self, id: &str) -> bool {
        if self.is_repeatable {
            return id == self.id(0);
        }
        let time = sea_orm_parts(&self.text).map(|(time, _)| time);
        id.strip_prefix('v').is_some_and(|rest| {
            Version::new(rest) == *self || time.is_some_and(|time| rest == time)
        })
    }

    /// The id of its revision. Short numbers have `width` digits, so that files are in order.
    pub fn id(&self, width: usize) -> String {
        if self.is_repeatable {
            let sign = |sign: char| if sign.is_ascii_alphanumeric() { sign } else { '_' };
            return format!("r_{}", self.text.chars().map(sign).collect::<String>());
        }
        let parts: Vec<String> = self
            .parts()
            .enumerate()
            .map(|(place, part)| match place {
                0 if is_number(part) => format!("{part:0>width$}"),
                _ => part.to_owned(),
            })
            .collect();
        format!("v{}", parts.join("_"))
    }

    /// How many digits the first number has.
    pub fn width(&self) -> usize {
        let first = self.parts().next().filter(|part| is_number(part) && !self.is_repeatable);
        first.map_or(0, str::len)
    }

    /// The time that it stands for, if it does.
    pub fn time(&self) -> Option<Timestamp> {
        if self.is_repeatable || !is_number(&self.text) {
            return None;
        }
        match self.text.len() {
            TIME => Timestamp::from_second(self.text.parse().ok()?).ok(),
            14 => {
                let time = DateTime::strptime("%Y%m%d%H%M%S", &self.text).ok()?;
                Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
            }
            _ => None,
        }
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        let parts = self.text.split(|sign: char| !sign.is_ascii_alphanumeric());
        parts.filter(|part| !part.is_empty())
    }

    fn key(&self) -> impl Iterator<Item = (usize, &str)> {
        self.parts().map(|part| {
            let digits = if is_number(part) { part.trim_start_matches('0') } else { part };
            (digits.len(), digits)
        })
    }
}

/// The 14 digits of the time in `m20220101_000001_create_table`, and the name after them.
fn sea_orm_parts(name: &str) -> Option<(String, &str)> {
    let rest = name.strip_prefix('m')?;
    let (date, rest) = rest.split_once('_')?;
    let (time, rest) = rest.split_once('_')?;
    let is_time = date.len() == 8 && time.len() == 6 && is_number(date) && is_number(time);
    is_time.then(|| (format!("{date}{time}"), rest))
}

fn is_number(text: &str) -> bool {
    text.chars().all(|digit| digit.is_ascii_digit())
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.is_repeatable.cmp(&other.is_repeatable).then_with(|| {
            if self.is_repeatable || (self.is_text && other.is_text) {
                self.text.cmp(&other.text)
            } else {
                self.key().cmp(other.key())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_not_texts() {
        let version = Version::new;
        assert!(version("9") < version("10"));
        assert_eq!(version("007"), version("7"));
        assert!(version("1.2") < version("1.10"));
        assert_eq!(version("1_2"), version("1.2"));
        assert!(version("20240131120000") < version("20240131120001"));
        assert!(version("99999999999999") < Version::repeatable("views"));
        assert!(Version::text("10") < Version::text("9"));
        assert!(Version::repeatable("a") < Version::repeatable("b"));
    }

    #[test]
    fn the_id_of_a_revision_sorts_like_its_version() {
        assert_eq!(Version::new("7").id(4), "v0007");
        assert_eq!(Version::new("1.10").id(2), "v01_10");
        assert_eq!(Version::new("20240131120000").id(4), "v20240131120000");
        assert_eq!(Version::repeatable("all views").id(4), "r_all_views");
    }

    #[test]
    fn a_name_of_sea_orm_has_a_time() {
        let name = "m20220101_000001_create_table";
        assert_eq!(Version::of_sea_orm(name).id(0), "v20220101000001");
        assert_eq!(Version::words_of_sea_orm(name), "create table");
        assert!(Version::new(name).has_id("v20220101000001"));
        assert!(Version::new(name).has_id(&Version::new(name).id(0)));
        assert!(!Version::new(name).has_id("v20220101000002"));
        assert_eq!(Version::of_sea_orm("first_one").id(0), "vfirst_one");
    }

    #[test]
    fn a_long_number_is_a_time() {
        let time = |text: &str| Version::new(text).time().map(|time| time.to_string());
        assert_eq!(time("20240131120000").as_deref(), Some("2024-01-31T12:00:00Z"));
        assert_eq!(time("1700000000").as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(time("20241331120000"), None);
        assert_eq!(time("7"), None);
    }
}
