//! IDE controllers as PCI functions have them: two channels of two drives, programmed I/O and bus-master DMA.
//!
//! The guest's own driver works unchanged: it reads and writes the registers of the two channels and of the bus
//! master, in compatibility or native mode; where they lie is the machine's to know. Every access comes here.

mod ports;

pub use ports::{Block, Channel, Ports};
