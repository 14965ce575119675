//! More data at once than there are shadow buffers: everybody waits his turn, nobody for ever, and no memory grows.

use super::Scene;
use crate::disk::layout::{self, SYSTEM, content};
use sekisho_abi::disk::BlockSize;
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::{AhciDriver, Completion, Request};

const BLOCKS_EACH: u16 = 1024;
const BYTES_EACH: usize = 1024 * 512;
const PORTS: u8 = 4;
const COMMANDS: u8 = 32;

fn task(code: u8, index: u8) -> TaskFile {
    let lba = SYSTEM.first + u64::from(index) * u64::from(BLOCKS_EACH);
    TaskFile::queued(code, 0, lba, BLOCKS_EACH)
}

/// Waits for all ports in turn.
fn drain(scene: &mut Scene, drivers: &mut [AhciDriver]) -> Vec<(u8, Completion)> {
    let mut ended = Vec::new();
    for driver in drivers {
        let port = driver.port();
        ended.extend(
            driver
                .drain(scene)
                .into_iter()
                .map(|completion| (port, completion)),
        );
    }
    ended
}

/// 64 MiB at once, of which the pool holds a small part.
#[test]
fn four_full_queues_of_large_commands_all_complete() {
    let drives = (0..PORTS).map(|port| Some(layout::disk(&format!("DISK-{port}"), BlockSize::B512)));
    let mut scene = Scene::of(drives.collect(), 3);
    let mut drivers: Vec<_> = (0..PORTS).map(|port| scene.driver(port)).collect();
    let plain: Vec<_> = (0..PORTS).map(|port| content(port.into(), BYTES_EACH)).collect();
    for index in 0..COMMANDS {
        for (driver, plain) in drivers.iter_mut().zip(&plain) {
            let request = Request::sends(task(command::WRITE_FPDMA_QUEUED, index), plain);
            driver.issue(&mut scene, &request).unwrap();
        }
    }
    let ended = drain(&mut scene, &mut drivers);
    assert_eq!(ended.len(), usize::from(PORTS * COMMANDS));
    assert!(ended.iter().all(|(_, completion)| completion.result.is_ok()));
    for index in [0, COMMANDS - 1] {
        for driver in &mut drivers {
            let request = Request::brings(task(command::READ_FPDMA_QUEUED, index), BYTES_EACH);
            driver.issue(&mut scene, &request).unwrap();
        }
        for (port, completion) in drain(&mut scene, &mut drivers) {
            assert!(
                completion.result.unwrap().data == plain[usize::from(port)],
                "port {port}"
            );
        }
    }
}
