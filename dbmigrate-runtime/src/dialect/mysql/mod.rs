//! MySQL and MariaDB, of which this version knows how their SQL is read.

mod lexicon;

pub use lexicon::{MARIADB, MYSQL};
