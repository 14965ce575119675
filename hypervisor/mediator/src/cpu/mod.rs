//! The processor: what of it the guest sees, and the instructions the hypervisor carries out for it.
