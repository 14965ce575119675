//! From policy.toml to a checked plan, selection strings and the compiled policy.
