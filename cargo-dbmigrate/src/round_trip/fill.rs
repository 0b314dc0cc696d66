//! Rows for the tables of a schema: each satisfies the schema, and one value of it sits on an edge.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::{DatabaseError, Driver};
use dbmigrate_runtime::schema::{Column, ForeignKey, IndexTerm, Schema, Table};

use super::values::{distinct, edges, usual};

/// How many rows of another table are referred to.
const REFERRED: usize = 3;

/// The columns to fill by table; `None` for all columns.
pub type Wanted = BTreeMap<String, Option<BTreeSet<String>>>;

/// Inserts rows into tables.
pub struct Filler<'a> {
    pub driver: &'a mut dyn Driver,
    pub schema: &'a Schema,
    /// Numbers values that have to differ.
    pub counter: &'a mut u64,
}

impl Filler<'_> {
    /// Inserts rows with the edges of these columns. Returns how many, and the tables into which no
    /// row could be inserted.
    ///
    /// # Errors
    ///
    /// The database's errors, except about a row.
    pub fn fill(&mut self, wanted: &Wanted) -> Result<(usize, Vec<String>), DatabaseError> {
        let mut n_rows = 0;
        let mut without = Vec::new();
        for name in self.in_order(wanted) {
            let Some(table) = self.schema.table(&name) else { continue };
            self.driver.batch("BEGIN")?;
            let filled = self.table(table, wanted.get(&name).and_then(Option::as_ref));
            match filled {
                Ok(0) => without.push(name),
                Ok(n) => n_rows += n,
                Err(err) => {
                    self.driver.rollback();
                    return Err(err);
                }
            }
            self.driver.batch("COMMIT")?;
        }
        Ok((n_rows, without))
    }

    /// The tables, those first to which others refer.
    fn in_order(&self, wanted: &Wanted) -> Vec<String> {
        let mut left: Vec<&String> = wanted.keys().collect();
        let mut order: Vec<String> = Vec::new();
        while !left.is_empty() {
            let is_ready = |name: &&&String| {
                let keys = self.schema.table(name).map_or(&[][..], |table| &table.foreign_keys);
                keys.iter().all(|key| {
                    key.references_table == ***name || !left.contains(&&key.references_table)
                })
            };
            // Of a circle, any table is as good as another.
            let next = left.iter().position(|name| is_ready(&name)).unwrap_or_default();
            order.push(left.remove(next).clone());
        }
        order
    }

    fn table(
        &mut self,
        table: &Table,
        only: Option<&BTreeSet<String>>,
    ) -> Result<usize, DatabaseError> {
        let Some(base) = self.base(table)? else { return Ok(0) };
        let mut n_rows = 1;
        let dialect = self.driver.dialect();
        let foreign: BTreeSet<&String> =
            table.foreign_keys.iter().flat_map(|key| &key.columns).collect();
        let given: Vec<&Column> = given(table).collect();
        for (idx, column) in given.iter().enumerate() {
            if only.is_some_and(|only| !only.contains(&column.name)) {
                continue;
            }
            let mut values =
                if foreign.contains(&column.name) { Vec::new() } else { edges(column, dialect) };
            if column.nullable {
                values.push("NULL".to_owned());
            }
            for value in values {
                let mut row = self.again(table, &given, &base)?;
                row[idx] = value;
                n_rows += usize::from(self.insert(table, &given, &row)?);
            }
        }
        Ok(n_rows)
    }

    /// Inserts a usual row, and returns its values.
    fn base(&mut self, table: &Table) -> Result<Option<Vec<String>>, DatabaseError> {
        let dialect = self.driver.dialect();
        let given: Vec<&Column> = given(table).collect();
        let usual: Vec<Vec<String>> = given.iter().map(|column| usual(column, dialect)).collect();
        let n_choices = usual.iter().map(Vec::len).max().unwrap_or(1);
        for choice in 0..n_choices {
            let values = usual.iter().map(|values| values.get(choice).or(values.last()).cloned());
            let values: Vec<String> = values.map(Option::unwrap_or_default).collect();
            let row = self.again(table, &given, &values)?;
            if self.insert(table, &given, &row)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The row with other values where two rows can't have the same, and with values that exist
    /// where it refers to another table.
    fn again(
        &mut self,
        table: &Table,
        given: &[&Column],
        row: &[String],
    ) -> Result<Vec<String>, DatabaseError> {
        *self.counter += 1;
        let (nth, dialect) = (*self.counter, self.driver.dialect());
        let mut row = row.to_vec();
        let unique = unique_columns(table);
        for (value, column) in row.iter_mut().zip(given) {
            if unique.contains(column.name.as_str()) {
                if let Some(other) = distinct(column, dialect, nth) {
                    *value = other;
                }
            }
        }
        for key in &table.foreign_keys {
            let referred = self.referred(table, key, nth)?;
            for (value, column) in row.iter_mut().zip(given) {
                if let Some(found) = referred.get(&column.name) {
                    value.clone_from(found);
                }
            }
        }
        Ok(row)
    }

    /// The values of a foreign key's columns for one of the rows that it can refer to; NULL if there
    /// is none.
    fn referred(
        &mut self,
        table: &Table,
        key: &ForeignKey,
        nth: u64,
    ) -> Result<BTreeMap<String, String>, DatabaseError> {
        let dialect = self.driver.dialect();
        let columns: Vec<String> =
            key.references_columns.iter().map(|column| dialect.quote(column)).collect();
        let relation = dialect.relation(&key.references_table);
        let sql = format!("SELECT {} FROM {relation} LIMIT {REFERRED}", columns.join(", "));
        let rows = self.driver.query(&sql, &[])?.rows;
        let n_rows = rows.len().max(1) as u64;
        let row = usize::try_from(nth % n_rows).ok().and_then(|idx| rows.into_iter().nth(idx));
        let literal = |(idx, name): (usize, &String)| {
            let value = row.as_ref().and_then(|row| row.get(idx));
            let literal = match (value, table.find_column(name)) {
                (Some(value), Some(column)) => dialect.literal_of(value, &column.ty),
                _ => "NULL".to_owned(),
            };
            (name.clone(), literal)
        };
        Ok(key.columns.iter().enumerate().map(literal).collect())
    }

    /// Inserts a row; false if the database refuses it.
    fn insert(
        &mut self,
        table: &Table,
        given: &[&Column],
        row: &[String],
    ) -> Result<bool, DatabaseError> {
        let dialect = self.driver.dialect();
        let into = dialect.relation(&table.name);
        let names: Vec<String> = given.iter().map(|column| dialect.quote(&column.name)).collect();
        let insert = match (names.is_empty(), dialect.backend().is_mysql_like()) {
            (true, false) => format!("INSERT INTO {into} DEFAULT VALUES"),
            _ => format!("INSERT INTO {into} ({}) VALUES ({})", names.join(", "), row.join(", ")),
        };
        self.driver.batch("SAVEPOINT dbmigrate_row")?;
        let is_inserted = self.driver.batch(&insert).is_ok();
        if !is_inserted {
            self.driver.batch("ROLLBACK TO SAVEPOINT dbmigrate_row")?;
        }
        self.driver.batch("RELEASE SAVEPOINT dbmigrate_row")?;
        Ok(is_inserted)
    }
}

/// The columns that an insert gives a value.
fn given(table: &Table) -> impl Iterator<Item = &Column> {
    let key = table.generated_key().map(|column| column.name.as_str());
    let is_given =
        move |column: &&Column| column.generated.is_none() && key != Some(column.name.as_str());
    table.columns.iter().filter(is_given)
}

/// The columns in which two rows may not have the same value.
fn unique_columns(table: &Table) -> BTreeSet<&str> {
    let key = table.primary_key.iter().flat_map(|key| &key.columns);
    let uniques = table.uniques.iter().flat_map(|unique| &unique.columns);
    let of_indexes = table.indexes.iter().filter(|index| index.unique);
    let of_indexes =
        of_indexes.flat_map(|index| &index.columns).filter_map(|part| match &part.term {
            IndexTerm::Column(column) => Some(column),
            IndexTerm::Expression(_) => None,
        });
    key.chain(uniques).chain(of_indexes).map(String::as_str).collect()
}

/// Deletes the rows of all tables, those first that refer to others.
///
/// # Errors
///
/// The database's errors.
pub fn empty(driver: &mut dyn Driver, schema: &Schema) -> Result<(), DatabaseError> {
    let all: Wanted = schema.tables.keys().map(|name| (name.clone(), None)).collect();
    let mut counter = 0;
    let mut order = Filler { driver: &mut *driver, schema, counter: &mut counter }.in_order(&all);
    order.reverse();
    for name in order {
        let dialect = driver.dialect();
        driver.batch(&format!("DELETE FROM {}", dialect.relation(&name)))?;
    }
    Ok(())
}

/// The query of these columns of a table.
pub fn query_of(dialect: &dyn Dialect, table: &str, columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| dialect.quote(column)).collect();
    format!("SELECT {} FROM {}", names.join(", "), dialect.relation(table))
}
