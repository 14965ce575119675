//! The key store's files, in the appliance's folder on the volume that the loader was started from.

use crate::protocol;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use sekisho_abi::storage::APPLIANCE_FOLDER;
use uefi::proto::loaded_image::LoadedImage;
use uefi::proto::media::file::{File, FileAttribute, FileInfo, FileMode, RegularFile};
use uefi::proto::media::fs::SimpleFileSystem;
use uefi::{CString16, Status, boot};

/// Bytes of the largest file that is read; a LUKS2 header of cryptsetup's has 16 MiB.
const LARGEST: u64 = 64 << 20;

/// Why a file could not be read.
pub(crate) struct Unread(Status);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Status::NOT_FOUND => f.write_str("it is not there"),
            status => status.fmt(f),
        }
    }
}

impl From<uefi::Error> for Unread {
    fn from(error: uefi::Error) -> Self {
        Self(error.status())
    }
}

/// Reads the file `name` of the store; folders are separated by `/`.
///
/// # Errors
/// The firmware's: `NOT_FOUND` where it is not there, `BAD_BUFFER_SIZE` where it is too large or read short.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, Unread> {
    let mut file = open(name)?;
    let info = file.get_boxed_info::<FileInfo>()?;
    let size = Some(info.file_size()).filter(|size| *size <= LARGEST);
    let size = size.and_then(|size| usize::try_from(size).ok());
    let mut bytes = vec![0; size.ok_or(Unread(Status::BAD_BUFFER_SIZE))?];
    let read = file.read(&mut bytes)?;
    if read == bytes.len() {
        Ok(bytes)
    } else {
        Err(Unread(Status::BAD_BUFFER_SIZE))
    }
}

fn open(name: &str) -> Result<RegularFile, Unread> {
    let path = format!("/{APPLIANCE_FOLDER}/{name}").replace('/', "\\");
    let path = CString16::try_from(path.as_str()).map_err(|_| Unread(Status::INVALID_PARAMETER))?;
    let volume = protocol::shared::<LoadedImage>(boot::image_handle())?
        .device()
        .ok_or(Unread(Status::NOT_FOUND))?;
    let mut volume = protocol::shared::<SimpleFileSystem>(volume)?;
    let file = volume
        .open_volume()?
        .open(&path, FileMode::Read, FileAttribute::empty())?;
    file.into_regular_file().ok_or(Unread(Status::NOT_FOUND))
}
