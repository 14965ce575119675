//! Partition tables, the map of a disk and pins, on disks partitioned by another implementation (the `gpt` crate).

#![cfg(test)]

mod made;
mod maps;
mod pins;
mod tables;
