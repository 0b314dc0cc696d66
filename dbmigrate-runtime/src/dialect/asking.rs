//! Convenience methods of a connection for reading its database's catalog through the dialect.

use std::collections::BTreeSet;

use super::{Catalog, Facts, Health, Kept, Object, Refusal};
use crate::driver::{Connection, DatabaseError};
use crate::schema::Table;
use crate::schema::resolve::HasSql as _;

impl<'a> dyn Connection + 'a {
    /// What statements depend on besides the operation and the schema, without the stored objects.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn facts(&mut self) -> Result<Facts, DatabaseError> {
        self.dialect().facts(self)
    }

    /// The same as `facts`, with the stored objects.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn facts_with_objects(&mut self) -> Result<Facts, DatabaseError> {
        Ok(Facts { objects: Some(self.objects()?), ..self.facts()? })
    }

    /// The objects that the database stores.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn objects(&mut self) -> Result<Vec<Object>, DatabaseError> {
        self.objects_with(&BTreeSet::new())
    }

    /// The same with these tables of other schemas.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn objects_with(
        &mut self,
        elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<Object>, DatabaseError> {
        self.dialect().objects(self, elsewhere)
    }

    /// The tables of the database: only the given ones, or all.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn catalog(&mut self, only: Option<&BTreeSet<String>>) -> Result<Catalog, DatabaseError> {
        self.catalog_with(only, &BTreeSet::new())
    }

    /// The same with these tables of other schemas.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn catalog_with(
        &mut self,
        only: Option<&BTreeSet<String>>,
        elsewhere: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        self.dialect().catalog(self, only, elsewhere)
    }

    /// These tables, without the list of objects.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn tables(&mut self, names: &BTreeSet<String>) -> Result<Catalog, DatabaseError> {
        self.dialect().tables(self, names)
    }

    /// The tables as this database would store them, each compared with the existing table of the
    /// same name.
    ///
    /// # Errors
    ///
    /// The database's errors. The inner result is the refusal of a table that the database can't
    /// have.
    pub fn as_kept(
        &mut self,
        table: &Table,
        actual: Option<&Table>,
    ) -> Result<Result<Table, Refusal>, DatabaseError> {
        let kept = self.all_as_kept(&[(table, actual)])?.pop();
        let kept =
            kept.ok_or_else(|| DatabaseError::new("the dialect did not return the table"))?;
        Ok(kept.map(|kept| kept.table))
    }

    /// The same for several tables.
    ///
    /// # Errors
    ///
    /// As `as_kept`.
    pub fn all_as_kept(
        &mut self,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError> {
        let dialect = self.dialect();
        let resolved = tables.iter().map(|(table, actual)| {
            let refused = |missing| {
                let what = format!("compare table `{}`", table.name);
                Refusal::no_text(&what, dialect.backend(), &missing)
            };
            (table.resolved(dialect.backend()).map_err(refused), *actual)
        });
        let resolved: Vec<_> = resolved.collect();
        let asked: Vec<_> = resolved
            .iter()
            .filter_map(|(table, actual)| Some((&**table.as_ref().ok()?, *actual)))
            .collect();
        let mut kept = dialect.as_kept(self, &asked)?.into_iter();
        let missing = || DatabaseError::new("the dialect did not return the table");
        resolved
            .into_iter()
            .map(|(table, _)| match table {
                Ok(_) => kept.next().ok_or_else(missing),
                Err(refusal) => Ok(Err(refusal)),
            })
            .collect()
    }

    /// Foreign key violations, and broken views and triggers that mention one of these tables.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn health(&mut self, tables: &BTreeSet<String>) -> Result<Health, DatabaseError> {
        self.dialect().health(self, tables)
    }
}
