//! `cluster-blocked`.

use crate::lint::rule::{Change, Level, Look, Rule};

pub const RULE: Rule = Rule {
    id: "cluster-blocked",
    level: Level::Warn,
    is_for: |backend| backend.is_mysql_like(),
    finds: "The server is part of a cluster in which the change blocks all nodes.",
    why: "Nothing is committed on any node until it is done.",
    instead: "make the change at a time when nobody writes",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let tables = change.operation().tables();
    let is_old = tables.iter().any(|table| change.revised.is_old(table));
    if !is_old || !change.costs().any(|cost| cost.blocks_cluster) {
        return Vec::new();
    }
    vec!["nothing is committed on any node of the cluster until it is done".to_owned()]
}
