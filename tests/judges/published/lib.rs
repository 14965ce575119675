//! Nothing: this package is its dependencies, in which published schemas are.
