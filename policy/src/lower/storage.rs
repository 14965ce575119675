//! What the policy says about disks, as the hypervisor and the key store read it.

use crate::read::Named;
use crate::schema::{
    AtapiAccess, Clear as ClearTable, ClearPartition as ClearName, Device, Disk as DiskTable, Document,
    GptAccess, Unlock as UnlockTable, UnlockMethod, Volume as VolumeTable,
};
use sekisho_abi::storage::{Atapi, Clear, ClearPartition, Controller, Disk, Place, Storage, Unlock, Volume};

/// Everything about disks; `None` where something is missing that was reported.
pub(crate) fn lower(document: &Document) -> Option<Storage> {
    let controllers = document.devices().iter().enumerate().filter(|(_, device)| {
        let driver = device.driver.as_ref();
        driver.is_some_and(|driver| driver.value.is_storage())
    });
    Some(Storage {
        controllers: controllers
            .map(|(index, device)| controller(index, device, document))
            .collect::<Option<_>>()?,
        volumes: document.volumes().iter().map(volume).collect::<Option<_>>()?,
        clear: document.clear.as_ref().map(clear).unwrap_or_default(),
        unlock: match &document.unlock {
            Some(table) => unlock(table)?,
            None => Unlock::default(),
        },
    })
}

/// The rule at `index`: rules are the first entries of the selection, in their order.
fn controller(index: usize, device: &Device, document: &Document) -> Option<Controller> {
    let place = |name: &str| {
        document
            .volumes()
            .iter()
            .position(|volume| volume.name.value == name)
    };
    let volumes = device
        .volume_names()
        .iter()
        .map(|name| u32::try_from(place(name.value.as_str())?).ok());
    let atapi = device.atapi.as_ref().map(|atapi| match atapi.value {
        AtapiAccess::Pass => Atapi::Pass,
        AtapiAccess::Read => Atapi::Read,
        AtapiAccess::Refuse => Atapi::Refuse,
    });
    Some(Controller {
        entry: u32::try_from(index).ok()?,
        volumes: volumes.collect::<Option<_>>()?,
        atapi: atapi.unwrap_or_default(),
    })
}

fn volume(volume: &Named<VolumeTable>) -> Option<Volume> {
    let table = &volume.table;
    Some(Volume {
        name: volume.name.value.clone(),
        disk: match &table.disk {
            Some(table) => Some(disk(table)?),
            None => None,
        },
        place: place(table)?,
        key_bits: table.key_size.as_ref()?.value.0,
        sector_size: table.sector_size.as_ref()?.value.0,
        discard: table.discard.as_ref().is_some_and(|discard| discard.value),
    })
}

/// The one selector. Disks pad their serial numbers with spaces, and so may who copies one.
fn disk(table: &DiskTable) -> Option<Disk> {
    let serial = table.serial.as_ref().map(|it| it.value.trim().to_owned());
    let port = table.port.as_ref().map(|it| it.value.0);
    let guid = table.uuid.as_ref().map(|it| it.value.disk_bytes());
    serial
        .map(Disk::Serial)
        .or(port.map(Disk::Port))
        .or(guid.map(Disk::Guid))
}

fn place(table: &VolumeTable) -> Option<Place> {
    let number = table.partition.as_ref().map(|it| it.value.0.into());
    let label = table.partition_label.as_ref().map(|it| it.value.clone());
    let guid = table.partition_uuid.as_ref().map(|it| it.value.disk_bytes());
    let blocks = table.lba.as_ref().map(|it| Place::Blocks {
        first: it.value.first,
        last: it.value.last,
    });
    number
        .map(Place::Partition)
        .or(label.map(Place::Label))
        .or(guid.map(Place::Guid))
        .or(blocks)
}

fn clear(table: &ClearTable) -> Clear {
    let partitions = table.partitions.iter().flat_map(|list| &list.value);
    Clear {
        partitions: partitions
            .map(|partition| clear_partition(&partition.value))
            .collect(),
        tables_writable: table
            .gpt
            .as_ref()
            .is_some_and(|gpt| gpt.value == GptAccess::Write),
    }
}

fn clear_partition(name: &ClearName) -> ClearPartition {
    match name {
        ClearName::Esp => ClearPartition::Esp,
        ClearName::Number(number) => ClearPartition::Number(number.0.into()),
        ClearName::Uuid(uuid) => ClearPartition::Guid(uuid.disk_bytes()),
        ClearName::Label(label) => ClearPartition::Label(label.clone()),
    }
}

fn unlock(table: &UnlockTable) -> Option<Unlock> {
    let methods = &table.methods.as_ref()?.value;
    let accepts = |wanted| methods.iter().any(|method| method.value == wanted);
    let attempts = table.attempts.as_ref().map(|it| it.value.0);
    Some(Unlock {
        passphrase: accepts(UnlockMethod::Passphrase),
        recovery: accepts(UnlockMethod::Recovery),
        attempts: attempts.unwrap_or(Unlock::default().attempts),
    })
}
