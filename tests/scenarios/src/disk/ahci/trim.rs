//! TRIM: only where the volume says so, clipped to it.

use super::Scene;
use crate::disk::layout::{APPLIANCE, CLEAR, DATA, SYSTEM, UNNAMED, content};
use sekisho_models::ata::TaskFile;
use sekisho_models::ata::spec::command;
use sekisho_models::guest::Request;

fn trim(ranges: &[(u64, u64)]) -> Request {
    let mut page: Vec<u8> = ranges
        .iter()
        .flat_map(|(first, count)| (count << 48 | first).to_le_bytes())
        .collect();
    page.resize(512, 0);
    let task = TaskFile::long(command::DATA_SET_MANAGEMENT, 0, 1).with_features(1);
    Request::sends(task, &page)
}

#[test]
fn a_trim_reaches_the_disk_only_inside_of_a_volume_that_lets_it() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let ranges = [
        (0, 8),
        (CLEAR.first, 8),
        (APPLIANCE.first, 8),
        (SYSTEM.first, 8),
        (SYSTEM.last - 3, 8),
        (DATA.first + 100, 50),
        (DATA.last - 3, 8),
        (UNNAMED.first, 8),
    ];
    driver.run(&mut scene, &trim(&ranges)).unwrap();
    let mut trimmed = scene.disk(0).trimmed().to_vec();
    trimmed.sort_unstable();
    assert_eq!(
        trimmed,
        [(DATA.first, 4), (DATA.first + 100, 50), (DATA.last - 3, 4)]
    );
}

#[test]
fn a_trim_of_nothing_that_is_let_through_is_fine_and_does_nothing() {
    let mut scene = Scene::new();
    let mut driver = scene.driver(0);
    let plain = content(1, 512);
    scene.write_blocks(&mut driver, SYSTEM.first, &plain).unwrap();
    driver.run(&mut scene, &trim(&[(SYSTEM.first, 8)])).unwrap();
    assert_eq!(scene.disk(0).trimmed(), []);
    assert_eq!(scene.read_blocks(&mut driver, SYSTEM.first, 1), plain);
}
