//! Every decision of the hypervisor, as safe code that runs on the host.
