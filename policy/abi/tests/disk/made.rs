//! Disks in memory, partitioned by the `gpt` crate.

use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition::Partition;
use gpt::partition_types::{EFI, LINUX_FS, Type};
use gpt::{GptConfig, partition_types};
use sekisho_abi::disk::gpt::{Error, Gpt, read};
use sekisho_abi::disk::{BlockSize, Disk, Shape};
use std::collections::BTreeMap;
use std::io::Cursor;
use uuid::Uuid;

/// Blocks of every disk made here.
pub(crate) const BLOCKS: u64 = 2048;
pub(crate) const DISK: Uuid = Uuid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888);

/// Bytes that are partitioned, of blocks of one size.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) shape: Shape,
}

/// A partition's type, label, first and last block.
pub(crate) type Row = (Type, &'static str, u64, u64);

/// ESP, the appliance's own, two of Linux.
pub(crate) const USUAL: [Row; 4] = [
    (EFI, "guest-esp", 100, 199),
    (EFI, "sekisho", 200, 299),
    (LINUX_FS, "root", 300, 999),
    (partition_types::LINUX_SWAP, "swap", 1000, 1500),
];

/// The GUID of partition `number`.
pub(crate) fn guid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) + 0xabcd_0000)
}

impl Made {
    /// With these partitions, numbered from 1.
    pub(crate) fn new(block_size: BlockSize, rows: &[Row]) -> Self {
        let shape = Shape {
            block_size,
            blocks: BLOCKS,
        };
        let size = usize::from(block_size.bytes());
        let mut bytes = vec![0; size * usize::try_from(BLOCKS).unwrap()];
        let mut device = Cursor::new(bytes.as_mut_slice());
        let protected = u32::try_from(BLOCKS - 1).unwrap();
        ProtectiveMBR::with_lb_size(protected)
            .overwrite_lba0(&mut device)
            .unwrap();
        let logical = match block_size {
            BlockSize::B512 => LogicalBlockSize::Lb512,
            BlockSize::B4096 => LogicalBlockSize::Lb4096,
        };
        let config = GptConfig::new().writable(true).logical_block_size(logical);
        let mut table = config.create_from_device(device, Some(DISK)).unwrap();
        let partitions = (1..).zip(rows).map(|(number, (kind, label, first, last))| {
            let partition = Partition {
                part_type_guid: kind.clone(),
                part_guid: guid(number),
                first_lba: *first,
                last_lba: *last,
                flags: 0,
                name: (*label).to_owned(),
            };
            (number, partition)
        });
        table
            .update_partitions(partitions.collect::<BTreeMap<_, _>>())
            .unwrap();
        table.write().unwrap();
        Self { bytes, shape }
    }

    /// Of 512-byte blocks, with the usual partitions.
    pub(crate) fn usual() -> Self {
        Self::new(BlockSize::B512, &USUAL)
    }

    /// The bytes of block `number`.
    pub(crate) fn block(&mut self, number: u64) -> &mut [u8] {
        let size = usize::from(self.shape.block_size.bytes());
        let at = usize::try_from(number).unwrap() * size;
        &mut self.bytes[at..at + size]
    }

    /// Reads its table; a read outside the disk is a failed test.
    pub(crate) fn table(&self) -> Result<Option<Gpt>, Error<&'static str>> {
        let size = usize::from(self.shape.block_size.bytes());
        read(self.shape, |number, into| {
            let at = usize::try_from(number).unwrap() * size;
            into.copy_from_slice(&self.bytes[at..at + size]);
            Ok(())
        })
    }

    /// As a disk with this serial number at this port.
    pub(crate) fn at_port(&self, port: u8, serial: &str) -> Disk {
        Disk {
            serial: Some(serial.to_owned()),
            port: Some(port),
            shape: self.shape,
            gpt: self.table().unwrap(),
        }
    }
}
