//! Names of tables that are in a schema of their own choice.
//!
//! Such a table has one name everywhere, `schema.table`. A table without a schema is in the
//! connection's own, and its name is the bare one.

use super::{Schema, Table};

/// The schema in a name like `billing.invoice`, and the bare name.
pub(crate) fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('.') {
        Some((schema, table)) if !schema.is_empty() && !table.is_empty() => (Some(schema), table),
        _ => (None, name),
    }
}

/// The name without its schema.
pub(crate) fn bare(name: &str) -> &str {
    split(name).1
}

impl Table {
    /// Puts the table into a schema, on PostgreSQL. It is called `schema.table` from then on.
    #[must_use]
    pub fn schema(mut self, schema: &str) -> Table {
        self.name = format!("{schema}.{}", self.bare_name());
        self.schema = Some(schema.to_owned());
        self
    }

    /// The name without the schema.
    pub fn bare_name(&self) -> &str {
        let schema = self.schema.as_deref();
        let prefixed = schema.and_then(|schema| self.name.strip_prefix(schema)?.strip_prefix('.'));
        prefixed.unwrap_or(&self.name)
    }

    /// Gives the table another name, which may be in another schema. A table whose name has a dot
    /// without being in a schema, as it can be on SQLite, stays in none.
    pub(crate) fn rename(&mut self, to: &str) {
        let is_dotted = self.schema.is_none() && split(&self.name).0.is_some();
        self.schema = split(to).0.filter(|_| !is_dotted).map(str::to_owned);
        to.clone_into(&mut self.name);
    }
}

impl Schema {
    /// The names of the tables that are in a schema of their own choice.
    #[doc(hidden)]
    pub fn qualified(&self) -> impl Iterator<Item = &str> {
        let tables = self.tables.values().filter(|table| table.schema.is_some());
        tables.map(|table| table.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_in_a_schema_has_the_name_of_both() {
        let mut invoice = Table::new("invoice").schema("billing");
        assert_eq!((invoice.name.as_str(), invoice.bare_name()), ("billing.invoice", "invoice"));
        assert_eq!(invoice.clone().schema("b"), Table::new("invoice").schema("b"));
        invoice.rename("crm.bill");
        assert_eq!(invoice, Table::new("bill").schema("crm"));
        invoice.rename("bill");
        assert_eq!(invoice, Table::new("bill"));
        let mut dotted = Table::new("a.b");
        assert_eq!(dotted.bare_name(), "a.b");
        dotted.rename("c.d");
        assert_eq!(dotted, Table::new("c.d"));
    }

    #[test]
    fn a_dot_at_an_end_separates_nothing() {
        assert_eq!(split("billing.a.b"), (Some("billing"), "a.b"));
        for name in [".a", "a.", "a"] {
            assert_eq!(split(name), (None, name));
        }
    }
}
