//! Images and ELF files with anything changed or cut off are refused or read, in bounded time; and what is read
//! keeps its promises: segments apart, on pages of their own, relocations only in writable data.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sekisho_abi::boot::{Access, PAGE};
use sekisho_abi::compiled::{CompiledPolicy, FORMAT, Serial};
use sekisho_abi::selection::Selection;
use sekisho_image::disk::{self, File};
use sekisho_image::elf::Program;
use sekisho_image::inspect::{APPLICATION, FALLBACK, LABEL, inspect};
use sekisho_image::seal::{self, HYPERVISOR, LOADER};
use std::sync::{LazyLock, Mutex};

/// The partition of a disk image begins here, and ends as far from the end.
const PARTITION: usize = 1 << 20;

/// What is damaged.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Base {
    Loader,
    Hypervisor,
    Application,
    Disk,
}

/// Where: near one of the places with structure, or anywhere.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    Head(u16),
    Partition(u16),
    Tail(u16),
    Anywhere(u32),
}

/// Damage to one file.
#[derive(Arbitrary, Debug)]
struct Damage {
    base: Base,
    patches: Vec<(Place, u8)>,
    cut: Option<Place>,
}

/// Damaged in place and repaired afterwards: copying ten megabytes for each run would be most of its time.
static FILES: LazyLock<Mutex<[Vec<u8>; 4]>> = LazyLock::new(|| {
    let application = seal::application(&policy()).expect("the build's own binaries");
    let files = [APPLICATION, FALLBACK].map(|path| File {
        path: path.trim_start_matches('/'),
        bytes: &application,
    });
    let disk = disk::build(LABEL, &files).expect("two files");
    Mutex::new([LOADER.to_vec(), HYPERVISOR.to_vec(), application, disk])
});

fn policy() -> CompiledPolicy {
    CompiledPolicy {
        format: FORMAT,
        name: "fuzz".to_owned(),
        source_hash: [0; 32],
        selection: Selection { entries: Vec::new() },
        origins: sekisho_abi::origin::Origins::default(),
        boot_next: None,
        guest_status: false,
        serial: Serial::Off,
        network: sekisho_abi::network::Network::default(),
        storage: sekisho_abi::storage::Storage::default(),
    }
}

impl Place {
    fn in_file_of(self, length: usize) -> usize {
        match self {
            Self::Head(offset) => usize::from(offset) % length,
            Self::Partition(offset) => (PARTITION + usize::from(offset)) % length,
            Self::Tail(offset) => length - 1 - usize::from(offset) % length,
            Self::Anywhere(offset) => offset as usize % length,
        }
    }
}

fuzz_target!(|damage: Damage| {
    let mut files = FILES.lock().expect("one thread");
    let file = &mut files[damage.base as usize];
    let length = file.len();
    let mut replaced = Vec::new();
    for (place, byte) in &damage.patches {
        let at = place.in_file_of(length);
        replaced.push((at, std::mem::replace(&mut file[at], *byte)));
    }
    let end = damage.cut.map_or(length, |place| place.in_file_of(length));
    match damage.base {
        Base::Loader | Base::Hypervisor => parse(&file[..end]),
        Base::Application | Base::Disk => {
            let whole = end == length && replaced.iter().all(|(at, before)| file[*at] == *before);
            let found = inspect(&file[..end]);
            assert!(found.is_ok() || !whole, "{found:?}");
        }
    }
    for (at, before) in replaced.into_iter().rev() {
        file[at] = before;
    }
});

fn parse(elf: &[u8]) {
    let Ok(program) = Program::parse(elf, 0) else {
        return;
    };
    let mut free = 0;
    for segment in &program.segments {
        assert!(segment.address >= free && segment.address % PAGE == 0);
        assert!(segment.bytes.len() <= segment.memory_size as usize);
        free = segment.address + segment.memory_size;
    }
    for address in &program.relocations {
        let holds = program.segments.iter().any(|segment| {
            let end = segment.address as usize + segment.bytes.len();
            segment.access == Access::Write && segment.address <= *address && *address as usize + 8 <= end
        });
        assert!(holds, "{address:#x}");
    }
}
