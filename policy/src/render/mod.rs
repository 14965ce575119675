//! Diagnostics in the forms people and programs read.

mod gitlab;
mod human;
mod json;
mod junit;
mod sarif;

pub use gitlab::render_gitlab;
pub use human::{Colour, render_human};
pub(crate) use json::json_diagnostic;
pub use json::render_json;
pub use junit::render_junit;
pub use sarif::render_sarif;
