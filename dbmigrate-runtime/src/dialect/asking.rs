//! What a connection's database says of itself, as its dialect reads it.

use std::collections::BTreeSet;

use super::{Catalog, Facts, Health, Object, Refusal};
use crate::driver::{Connection, DatabaseError};
use crate::schema::Table;

impl<'a> dyn Connection + 'a {
    /// What statements depend on beside operation and schema, without the stored objects.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn facts(&mut self) -> Result<Facts, DatabaseError> {
        self.dialect().facts(self)
    }

    /// The same with the stored objects.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn facts_with_objects(&mut self) -> Result<Facts, DatabaseError> {
        Ok(Facts { objects: Some(self.objects()?), ..self.facts()? })
    }

    /// What the database stores.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn objects(&mut self) -> Result<Vec<Object>, DatabaseError> {
        self.dialect().objects(self)
    }

    /// What the database has: of these tables, or of all.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn catalog(&mut self, only: Option<&BTreeSet<String>>) -> Result<Catalog, DatabaseError> {
        self.dialect().catalog(self, only)
    }

    /// The table as a reader of this database would find it, beside its own one of that name.
    ///
    /// # Errors
    ///
    /// What the database says; in the answer, a table that it can't have.
    pub fn as_kept(
        &mut self,
        table: &Table,
        actual: Option<&Table>,
    ) -> Result<Result<Table, Refusal>, DatabaseError> {
        let mut kept = self.dialect().as_kept(self, &[(table, actual)])?;
        kept.pop().ok_or_else(|| DatabaseError::new("no answer to what a table would be"))
    }

    /// What doesn't hold: foreign keys, and of what mentions these tables views and triggers.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn health(&mut self, tables: &BTreeSet<String>) -> Result<Health, DatabaseError> {
        self.dialect().health(self, tables)
    }
}
