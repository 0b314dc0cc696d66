//! Plans the operations of a revision.

use crate::Value;
use crate::dialect::{Facts, Plan, Refusal};
use crate::operations::Operation;
use crate::schema::{Schema, Table};

pub(super) fn plan(
    _operations: &[Operation],
    _schema: &mut Schema,
    _facts: &Facts,
) -> Result<Plan, Refusal> {
    todo!()
}

pub(super) fn literal(_value: &Value) -> String {
    todo!()
}

pub(super) fn create_if_missing(_name: &str, _table: &Table) -> Result<String, Refusal> {
    todo!()
}
