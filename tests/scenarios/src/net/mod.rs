//! The guest's NICs: its own driver, the mediator with a module, and a device on a wire.

mod frames;
mod offload;
mod pro1000;
