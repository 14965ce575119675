//! The guest's disks: one layout of volumes, clear and forbidden sectors, behind each kind of controller.

mod ahci;
mod ata;
mod layout;
