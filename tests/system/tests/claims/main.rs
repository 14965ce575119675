//! What the appliance promises, each claim judged on the emulated machine. Run with `--test-threads=1`.
mod boot;
