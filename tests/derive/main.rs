//! The derive macros from their users' point of view: the results for models ([`models`],
//! [`types`]), the errors for mistakes ([`errors`]), and that artifacts contain the records
//! ([`hosts`]).

mod models;
mod types;
mod errors;
mod hosts;
mod fixture;
