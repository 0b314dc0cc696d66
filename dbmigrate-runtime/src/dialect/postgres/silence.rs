//! Values for existing rows, given without running the triggers of others.

use super::planner::Planner;
use crate::dialect::{Trigger, Work};
use crate::sql::quote;

impl Planner<'_> {
    /// Gives rows their values. The triggers of others don't run, as they don't where SQLite
    /// rebuilds a table.
    pub(super) fn update_rows(&mut self, idx: usize, table: &str, update: String) {
        let was = self.name_before(table).to_owned();
        let is_fired = |trigger: &&Trigger| trigger.table == was;
        let fired: Vec<Trigger> =
            self.facts.existing.triggers.iter().filter(is_fired).cloned().collect();
        for trigger in &fired {
            let disable = format!("DISABLE TRIGGER {}", quote(&trigger.name));
            self.alter(idx, table, &disable, Work::None);
        }
        self.change_rows(idx, update);
        for trigger in &fired {
            let always = if trigger.always { "ALWAYS " } else { "" };
            let enable = format!("ENABLE {always}TRIGGER {}", quote(&trigger.name));
            self.alter(idx, table, &enable, Work::None);
        }
    }
}
