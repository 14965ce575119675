//! The guest's NICs: its own driver, the mediator with a module, and a device on a wire; and the modules alone.

mod frames;
mod offload;
mod pro100;
mod pro1000;
mod stack;
