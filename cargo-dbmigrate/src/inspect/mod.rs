//! Models from a database: its tables, as a person would write them.

mod attribute;
mod declare;
mod names;
mod rust_types;
mod source;

use dbmigrate_runtime::engine::driver::{Connection, DatabaseError};
use dbmigrate_runtime::schema::Table;

pub use names::{of_field, written};
pub use rust_types::Crates;
pub use source::{Model, Style};

/// The models of a database's tables, in the order of the tables, with what they can't say.
///
/// # Errors
///
/// The database's errors.
pub fn models(
    conn: &mut dyn Connection,
    tables: &[Table],
    style: &Style<'_>,
) -> Result<(Vec<Model>, Vec<String>), DatabaseError> {
    let declared = declare::declared(conn, tables, &style.comparing)?;
    Ok(source::models(&declared, style))
}
