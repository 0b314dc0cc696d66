//! MySQL and MariaDB; this version only contains their lexical rules.

mod lexicon;

pub use lexicon::{MARIADB, MYSQL};
