//! The corpus of `tests/cases` at the top of the repository.

mod cases;
