//! The rules, one file each, in the order in which they are listed and reported.

mod check_on_rows;
mod cluster_blocked;
mod dangerous_sql;
mod drop_column;
mod drop_constraint;
mod drop_default;
mod drop_not_null;
mod drop_table;
mod enum_value_removed;
mod exclusion_locks;
mod exclusion_on_rows;
mod float_money;
mod foreign_key_on_rows;
mod index_locks;
mod narrow_type;
mod no_primary_key;
mod no_way_back;
mod rebuild;
mod redundant_index;
mod refused;
mod rename_column;
mod rename_table;
mod required_column;
mod rewrite_locks;
mod scan_locks;
mod set_not_null;
mod several_tables_locked;
mod small_primary_key;
mod step_under_lock;
mod undescribed_sql;
mod unindexed_foreign_key;
mod unique_on_rows;
mod unusual_name;
mod unwritten_column;
mod volatile_default;
mod words;
mod wrong_allow;

use super::rule::Rule;

/// The id of the rule about what databases refuse.
pub const REFUSED: &str = refused::RULE.id;

/// All rules.
pub static RULES: &[&Rule] = &[
    &refused::RULE,
    &drop_table::RULE,
    &drop_column::RULE,
    &rename_table::RULE,
    &rename_column::RULE,
    &narrow_type::RULE,
    &enum_value_removed::RULE,
    &required_column::RULE,
    &unwritten_column::RULE,
    &set_not_null::RULE,
    &drop_default::RULE,
    &drop_not_null::RULE,
    &drop_constraint::RULE,
    &unique_on_rows::RULE,
    &exclusion_on_rows::RULE,
    &check_on_rows::RULE,
    &foreign_key_on_rows::RULE,
    &index_locks::RULE,
    &exclusion_locks::RULE,
    &scan_locks::RULE,
    &rewrite_locks::RULE,
    &volatile_default::RULE,
    &several_tables_locked::RULE,
    &step_under_lock::RULE,
    &unindexed_foreign_key::RULE,
    &redundant_index::RULE,
    &float_money::RULE,
    &no_primary_key::RULE,
    &small_primary_key::RULE,
    &unusual_name::RULE,
    &no_way_back::RULE,
    &undescribed_sql::RULE,
    &dangerous_sql::RULE,
    &rebuild::RULE,
    &cluster_blocked::RULE,
    &wrong_allow::RULE,
];

/// The rule with this id.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
