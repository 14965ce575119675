//! The sentence that the hypervisor leaves where a disk refuses.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, Ordering};
use sekisho_abi::boot::REPORT_SIZE;

/// Bytes that the hypervisor writes behind the compiler's back, hence atomics.
pub(crate) struct Report(Box<[AtomicU8; REPORT_SIZE]>);

impl Report {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(Box::new([const { AtomicU8::new(0) }; REPORT_SIZE]))
    }

    /// Where it lies, for the handover: address and length.
    pub(crate) fn place(&self) -> [u64; 2] {
        [self.0.as_ptr().expose_provenance() as u64, REPORT_SIZE as u64]
    }

    /// What was written; empty where nothing was.
    pub(crate) fn sentence(&self) -> String {
        let bytes = self.0.iter().map(|byte| byte.load(Ordering::Relaxed));
        let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
