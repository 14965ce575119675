//! From policy.toml to a checked plan, selection strings and the compiled policy.
//!
//! The way of a file: [`Source`] -> tables with spans ([`schema`]) -> rules -> [`Policy`] -> [`compile()`]
//! for people, [`lower()`] for the image. The text is hostile only to itself: whatever it holds, [`check()`]
//! answers with a [`Report`] and never panics.
#![forbid(unsafe_code)]

mod check;
mod classes;
mod compile;
mod compose;
mod context;
mod diagnostic;
pub mod diff;
mod explain;
mod findings;
mod format;
pub mod inventory;
mod json_schema;
mod lower;
pub mod matching;
pub mod plan;
mod policy;
mod read;
mod render;
mod repair;
mod rules;
pub mod schema;
mod selection;
mod source;
mod toml_string;

pub use check::{Report, check};
pub use compile::{Compiled, compile};
pub use diagnostic::{Diagnostic, Edit, Label, Severity};
pub use explain::{UnknownCode, codes, explain, explain_markdown, reference};
pub use format::format;
pub use json_schema::json_schema;
pub use lower::{UNSUPPORTED, lower, unsupported};
pub use policy::{Decision, Fates, KeyNames, Policy, Rule};
pub use read::{Family, Named};
pub use render::{Colour, render_gitlab, render_human, render_json, render_junit, render_sarif};
pub use repair::{Repaired, repair};
pub use selection::TracedEntry;
pub use source::{Located, Position, Source, Span};
