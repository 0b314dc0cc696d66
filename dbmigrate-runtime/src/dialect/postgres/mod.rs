//! PostgreSQL, of which this version knows how its SQL is read.

mod lexicon;

pub use lexicon::POSTGRES;
