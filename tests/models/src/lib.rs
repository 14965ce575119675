//! Device models that are stricter than hardware, with faults and hostile decorators.
