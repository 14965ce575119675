//! The log: events with level and id in a bounded ring.
