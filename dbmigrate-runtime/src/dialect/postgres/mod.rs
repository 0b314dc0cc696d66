//! PostgreSQL; this version only contains its lexical rules.

mod lexicon;

pub use lexicon::POSTGRES;
