//! Bytes: what the appliance takes of the disk and of memory.

use super::{POLICY, Row};
use crate::appliance::Appliance;
use crate::failure::Failure;
use sekisho_abi::boot::REGION_SIZE;

const MEBIBYTE: f64 = 1_048_576.0;
const MEGABYTE: f64 = 1e6;

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let application = Appliance::example(POLICY)?.application().len();
    let bytes = |count: usize| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    let reserved = u32::try_from(REGION_SIZE).map_or(f64::INFINITY, f64::from);
    Ok(vec![
        Row::new("memory reserved", reserved / MEBIBYTE, "MiB")
            .with_aim(16.0)
            .with_reference(128.0),
        Row::new(
            "image with the loader, stripped",
            bytes(application) / MEGABYTE,
            "MB",
        )
        .with_aim(2.0)
        .with_reference(3.3),
    ])
}
