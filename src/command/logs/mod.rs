//! `sekisho logs`: what laptops send, received and explained. Everything that comes in is hostile text: it is bounded, and
//! shown without control characters.

mod decode;
mod listen;
mod message;
mod show;
mod watch;

use super::CommandResult;
use clap::{Subcommand, ValueEnum};

/// Receive and explain the hypervisor's log.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Receive syslog by UDP, and tell losses and restarts, until interrupted.
    Listen(listen::Arguments),
    /// Explain a serial log, or what a collector wrote.
    Decode(decode::Arguments),
}

/// How messages are shown.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line each, and what its event means where that was not told yet.
    Human,
    /// A JSON object each.
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::Listen(arguments) => listen::run(arguments),
        Action::Decode(arguments) => decode::run(arguments),
    }
}
