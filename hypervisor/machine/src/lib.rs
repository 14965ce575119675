//! The machine: boot, SVM, nested paging, exits, PCI access.
