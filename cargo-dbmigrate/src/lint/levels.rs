//! The level of each rule, by the settings.

use std::collections::BTreeMap;

use super::rule::{Level, Rule};
use super::rules;
use crate::config::LintLevels;
use crate::error::{Error, Result};

/// Which rules have another level than their own.
#[derive(Debug, Default, Clone)]
pub struct Levels {
    changed: BTreeMap<&'static str, Level>,
}

impl Levels {
    /// The levels of the settings in the file of this name.
    ///
    /// # Errors
    ///
    /// A rule that doesn't exist, and one that is given two levels.
    pub fn of_settings(settings: &LintLevels, file: &str) -> Result<Levels> {
        let LintLevels { deny, warn, allow } = settings;
        let lists = [(Level::Deny, deny), (Level::Warn, warn), (Level::Allow, allow)];
        let mut levels = Levels::default();
        for (level, ids) in lists {
            for id in ids {
                let key = level.key();
                let Some(rule) = rules::by_id(id) else {
                    let message = format!("`lint.{key}` in `{file}` names no rule: `{id}`");
                    return Err(Error::new(message).hint(format!("the rules are {}", known())));
                };
                let before = levels.changed.insert(rule.id, level);
                if let Some(before) = before.filter(|before| *before != level) {
                    let before = before.key();
                    let message =
                        format!("`lint.{before}` and `lint.{key}` in `{file}` both name `{id}`");
                    return Err(Error::new(message).hint("remove it from one of the two lists"));
                }
            }
        }
        Ok(levels)
    }

    /// The level of a rule.
    pub fn of(&self, rule: &Rule) -> Level {
        self.changed.get(rule.id).copied().unwrap_or(rule.level)
    }
}

/// All rules, in backticks.
fn known() -> String {
    let ids: Vec<&str> = rules::RULES.iter().map(|rule| rule.id).collect();
    format!("`{}`", ids.join("`, `"))
}
