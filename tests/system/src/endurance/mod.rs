//! `make endurance`: an encrypted disk under load and through power cuts, on both controllers.
//!
//! What is on the platter is judged on the host by stock programs.

pub mod cuts;
pub mod dice;
pub mod exerciser;
pub mod identity;
pub mod platter;
pub mod scene;
pub mod write_log;
