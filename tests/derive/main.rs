//! The derive macros, as their users meet them: what models become ([`models`], [`types`]), what
//! mistakes are answered with ([`errors`]), and that the compiler carries the records
//! ([`hosts`]).

mod models;
mod types;
mod errors;
mod hosts;
mod fixture;
