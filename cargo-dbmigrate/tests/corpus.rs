//! The corpora of `tests/cases` and `tests/lint` at the top of the repository.

mod cases;
mod lint;
