//! What is written, read, and lies on the disk.

use super::*;

const WRITES: [(u8, u8); 5] = [
    (command::WRITE_SECTORS, command::READ_SECTORS),
    (command::WRITE_MULTIPLE, command::READ_MULTIPLE),
    (command::WRITE_DMA, command::READ_DMA),
    (command::WRITE_DMA_EXT, command::READ_DMA_EXT),
    (command::WRITE_FPDMA_QUEUED, command::READ_FPDMA_QUEUED),
];

#[test]
fn a_volume_is_ciphertext_on_the_disk_and_content_to_the_guest_by_every_kind_of_command() {
    let (mut world, mut driver) = World::started();
    for (index, (writes, reads)) in WRITES.into_iter().enumerate() {
        let block = VOLUME + 100 * index as u64;
        let content = pattern(writes, 9);
        driver.run(&mut world, &write(writes, block, &content)).unwrap();
        assert_eq!(world.disk().platter.image(block, 9), encrypted(block, &content));
        let back = driver.run(&mut world, &read(reads, block, 9)).unwrap();
        assert_eq!(back.data, content, "{reads:#x}");
        assert_eq!(back.count, 9 * 512);
    }
    world.assert_careful();
}
