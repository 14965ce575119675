//! The selection grammar of `vmm.driver.pci` : parse, print, match.
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A parsed selection string.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Selection {
    /// In order; the first that matches a device decides.
    pub entries: Vec<Entry>,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {}
