//! The texts of plans.
