//! What the guest boots: `[boot] next` of the policy, or whatever the firmware's own boot order has next.
//!
//! All of this runs as guest. Nothing here can weaken what is in force, so failing is no refusal: it is said, and
//! the firmware goes on with its boot order, as guest too.

use crate::console::say;
use crate::protocol;
use alloc::boxed::Box;
use alloc::vec::Vec;
use uefi::boot::{self, LoadImageSource};
use uefi::proto::BootPolicy;
use uefi::proto::device_path::DevicePath;
use uefi::proto::device_path::build::{self, DevicePathBuilder};
use uefi::proto::loaded_image::LoadedImage;
use uefi::proto::media::file::{File, FileAttribute, FileMode};
use uefi::proto::media::fs::SimpleFileSystem;
use uefi::{CStr16, CString16, Handle, Status};

/// The volume the loader was started from, which is never the guest's. Known by its device path: handles are made
/// anew when a disk is disconnected and connected.
pub(crate) struct OwnVolume(Option<Box<DevicePath>>);

impl OwnVolume {
    /// Ask before any device is disconnected. A loader that was started from no volume owns none.
    pub(crate) fn find() -> Self {
        let device = protocol::shared::<LoadedImage>(boot::image_handle())
            .ok()
            .and_then(|image| image.device());
        Self(device.and_then(path_of))
    }

    fn is(&self, path: &DevicePath) -> bool {
        self.0
            .as_ref()
            .is_some_and(|own| own.as_bytes() == path.as_bytes())
    }
}

/// Starts `next`, or leaves it to the firmware. Returns what the firmware is told: always that its next boot entry
/// should be tried, unless the system that was started ended well.
pub(crate) fn start(next: Option<&str>, own: &OwnVolume) -> Status {
    let Some(text) = next else {
        say!("going on with the firmware's boot order");
        return Status::NOT_FOUND;
    };
    let Ok(name) = CString16::try_from(text) else {
        say!("{text} is no file name that the firmware can read; going on with its boot order");
        return Status::INVALID_PARAMETER;
    };
    let Some(path) = find(&name, own).or_else(|| find_everywhere(&name, own)) else {
        say!("{text} is on no volume of this machine; going on with the firmware's boot order");
        return Status::NOT_FOUND;
    };
    let source = LoadImageSource::FromDevicePath {
        device_path: &path,
        boot_policy: BootPolicy::ExactMatch,
    };
    match boot::load_image(boot::image_handle(), source) {
        Ok(image) => run(image, text),
        Err(error) => {
            say!(
                "{text} cannot be loaded ({}); going on with the firmware's boot order",
                error.status()
            );
            error.status()
        }
    }
}

/// Runs a loaded image; one that is an operating system does not come back.
fn run(image: Handle, text: &str) -> Status {
    say!("starting {text}");
    let status = boot::start_image(image).map_or_else(|error| error.status(), |()| Status::SUCCESS);
    say!("{text} ended ({status}); going on with the firmware");
    status
}

/// Searches again with a driver on every device: a fast boot connects only what the boot entry needs.
fn find_everywhere(name: &CStr16, own: &OwnVolume) -> Option<Box<DevicePath>> {
    for handle in boot::locate_handle_buffer(boot::SearchType::AllHandles)
        .ok()?
        .iter()
    {
        // Most handles are no devices and say so by an error.
        let _ = boot::connect_controller(*handle, &[], None, true);
    }
    find(name, own)
}

/// The path of the first volume's file `name`, our own volume left out.
fn find(name: &CStr16, own: &OwnVolume) -> Option<Box<DevicePath>> {
    let volumes = boot::find_handles::<SimpleFileSystem>().ok()?;
    volumes
        .into_iter()
        .filter(|volume| has(*volume, name))
        .find_map(|volume| {
            let path = path_of(volume)?;
            if own.is(&path) { None } else { file_on(&path, name) }
        })
}

fn has(volume: Handle, name: &CStr16) -> bool {
    let root = protocol::shared::<SimpleFileSystem>(volume).and_then(|mut volume| volume.open_volume());
    root.and_then(|mut root| root.open(name, FileMode::Read, FileAttribute::empty()))
        .is_ok()
}

fn path_of(device: Handle) -> Option<Box<DevicePath>> {
    let path = protocol::shared::<DevicePath>(device).ok()?;
    path.get().map(DevicePath::to_boxed)
}

/// The path of the file `name` on `volume`.
fn file_on(volume: &DevicePath, name: &CStr16) -> Option<Box<DevicePath>> {
    let mut storage = Vec::new();
    let nodes = volume.node_iter();
    let path = nodes
        .into_iter()
        .try_fold(DevicePathBuilder::with_vec(&mut storage), |path, node| {
            path.push(&node)
        });
    let path = path
        .ok()?
        .push(&build::media::FilePath { path_name: name })
        .ok()?;
    path.finalize().ok().map(DevicePath::to_boxed)
}
