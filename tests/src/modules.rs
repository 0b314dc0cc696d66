//! Revisions in the form that a program contains.

use dbmigrate_runtime::Module;
use dbmigrate_runtime::operations::Operations;

/// A revision, given what differs from one to the next.
pub const fn module(
    name: &'static str,
    down_revision: &'static [&'static str],
    upgrade: fn(&mut Operations),
    downgrade: fn(&mut Operations),
) -> Module {
    Module {
        name,
        revision: name,
        down_revision,
        branch_labels: &[],
        depends_on: &[],
        replaces: &[],
        message: "",
        upgrade,
        downgrade,
    }
}
