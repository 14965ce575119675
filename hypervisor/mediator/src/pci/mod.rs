//! PCI: enumeration, the fate of every function, and the guest's configuration accesses.
