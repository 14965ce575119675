//! Engines on a clock and a network of the test's own.
#![cfg(test)]

mod ages;
mod forged;
mod handshake;
mod hour;
mod load;
mod moves;
mod routes;
mod scene;
