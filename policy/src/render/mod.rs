//! Diagnostics in the forms people and programs read.

mod human;
mod json;

pub use human::{Colour, render_human};
pub use json::render_json;
