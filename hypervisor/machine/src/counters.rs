//! What is counted on every CPU, by name: exits by reason.

/// A counted event.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Counter {
    Cpuid,
    MsrRead,
    MsrWrite,
    ConfigPort,
    ConfigWindow,
    ApicWrite,
    OwnMemory,
    BeyondMemory,
    DiskMemory,
    DiskPort,
    NetMemory,
    NetPort,
    Pause,
    Nmi,
    Wake,
    InterruptReturn,
    SingleStep,
    Hypercall,
    Virtualization,
    InvalidateCaches,
    TripleFault,
    Init,
    Undecodable,
    RefusedRegister,
    RefusedState,
}

/// How many there are.
pub(crate) const COUNT: usize = NAMES.len();

/// Their names, at most 16 bytes: the hypercall returns them in two registers.
pub(crate) const NAMES: [&str; 25] = [
    "cpuid",
    "rdmsr",
    "wrmsr",
    "config-port",
    "config-window",
    "apic-write",
    "own-memory",
    "beyond-memory",
    "disk-memory",
    "disk-port",
    "net-memory",
    "net-port",
    "pause",
    "nmi",
    "wake",
    "iret",
    "single-step",
    "hypercall",
    "svm-instruction",
    "invd",
    "triple-fault",
    "init",
    "undecodable",
    "refused-msr",
    "refused-state",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_a_name_that_fits_two_registers() {
        assert_eq!(Counter::RefusedState as usize + 1, COUNT);
        assert!(NAMES.iter().all(|name| name.len() <= 16 && name.is_ascii()));
        assert_eq!(NAMES[Counter::Undecodable as usize], "undecodable");
    }
}
