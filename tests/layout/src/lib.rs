//! The shape of the workspace, checked: dependency direction, `unsafe`, hygiene, and that the documents tell the truth.
//!
//! What is checked is what the tree holds, committed or not. ARCHITECTURE.md and CONTRIBUTING.md say why each rule is.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod unsafety;
