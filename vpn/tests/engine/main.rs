//! Two engines on a clock and a network of the test's own.
#![cfg(test)]

mod handshake;
mod scene;
