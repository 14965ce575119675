//! The tables of QEMU's q35, built byte by byte, and each way of damaging them.

use super::*;

/// Where the tests put their tables.
const BASE: u64 = 0x7f00_0000;
const XSDT: usize = 0x100;
const MCFG: usize = 0x200;
const FADT: usize = 0x300;
const HPET: usize = 0x600;

struct Memory(Vec<u8>);

impl TableMemory for Memory {
    fn copy(&self, address: TableAddress, into: &mut [u8]) -> Result<(), Unreadable> {
        let offset = address
            .0
            .checked_sub(BASE)
            .and_then(|offset| usize::try_from(offset).ok())
            .ok_or(Unreadable)?;
        let bytes = self
            .0
            .get(offset..)
            .and_then(|rest| rest.get(..into.len()))
            .ok_or(Unreadable)?;
        into.copy_from_slice(bytes);
        Ok(())
    }
}

impl Memory {
    fn put(&mut self, offset: usize, bytes: &[u8]) -> &mut Self {
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Makes the `length` bytes at `offset` sum to zero by the byte at `at`.
    fn seal(&mut self, offset: usize, length: usize, at: usize) -> &mut Self {
        self.0[offset + at] = 0;
        let sum = self.0[offset..offset + length]
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        self.0[offset + at] = sum.wrapping_neg();
        self
    }

    fn table(&mut self, offset: usize, signature: &[u8; 4], body: &[u8]) -> &mut Self {
        let length = HEADER_LENGTH + body.len();
        self.put(offset, signature);
        self.put(offset + 4, &u32::try_from(length).unwrap().to_le_bytes());
        self.put(offset + HEADER_LENGTH, body).seal(offset, length, 9)
    }

    fn platform(&self) -> Result<Platform, AcpiError> {
        read_platform(self, TableAddress(BASE))
    }
}

fn at(offset: usize) -> u64 {
    BASE + offset as u64
}

fn mcfg_entry(base: u64, segment: u16, first: u8, last: u8) -> Vec<u8> {
    let mut entry = base.to_le_bytes().to_vec();
    entry.extend_from_slice(&segment.to_le_bytes());
    entry.extend_from_slice(&[first, last, 0, 0, 0, 0]);
    entry
}

fn mcfg(entries: &[Vec<u8>]) -> Vec<u8> {
    [vec![0; 8], entries.concat()].concat()
}

fn fadt() -> Vec<u8> {
    let mut body = vec![0; 244 - HEADER_LENGTH];
    body[FADT_FLAGS - HEADER_LENGTH + 1] = 0x84; // bit 10 among others
    let register = FADT_RESET_REGISTER - HEADER_LENGTH;
    body[register..register + 12].copy_from_slice(&[1, 8, 0, 0, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0]);
    body[FADT_RESET_VALUE - HEADER_LENGTH] = 0x0f;
    body
}

fn root(memory: &mut Memory, tables: &[usize]) {
    let entries: Vec<u8> = tables
        .iter()
        .flat_map(|offset| at(*offset).to_le_bytes())
        .collect();
    memory.table(XSDT, b"XSDT", &entries);
}

/// A q35: revision 2 root pointer, XSDT with a null entry, FADT and MCFG.
fn q35() -> Memory {
    let mut memory = Memory(vec![0; 0x1000]);
    memory
        .put(0, b"RSD PTR ")
        .put(15, &[2])
        .put(20, &36u32.to_le_bytes());
    memory
        .put(24, &at(XSDT).to_le_bytes())
        .seal(0, 20, 8)
        .seal(0, 36, 32);
    let entries = [0u64.to_le_bytes(), at(FADT).to_le_bytes(), at(MCFG).to_le_bytes()].concat();
    memory.table(XSDT, b"XSDT", &entries);
    memory.table(MCFG, b"MCFG", &mcfg(&[mcfg_entry(0xb000_0000, 0, 0, 255)]));
    memory.table(FADT, b"FACP", &fadt());
    memory
}

#[test]
fn a_q35_gives_its_window_and_its_reset_port() {
    let expected = Platform {
        config_window: Some(ConfigWindow {
            base: 0xb000_0000,
            last_bus: 255,
        }),
        reset: Some(ResetPort {
            port: 0xcf9,
            value: 0x0f,
        }),
        timers: None,
    };
    assert_eq!(q35().platform(), Ok(expected));
}

#[test]
fn event_timers_count_where_they_are_a_page_of_memory() {
    let timers = |space: u8, address: u64| {
        let mut memory = q35();
        root(&mut memory, &[HPET]);
        let mut body = vec![0; 20];
        body[HPET_REGISTERS - HEADER_LENGTH] = space;
        body[HPET_REGISTERS - HEADER_LENGTH + 4..][..8].copy_from_slice(&address.to_le_bytes());
        memory.table(HPET, b"HPET", &body).platform().unwrap().timers
    };
    assert_eq!(timers(SPACE_MEMORY, 0xfed0_0000), Some(0xfed0_0000));
    assert_eq!(timers(SPACE_IO, 0xfed0_0000), None);
    assert_eq!(timers(SPACE_MEMORY, 0), None);
    assert_eq!(timers(SPACE_MEMORY, 0xfed0_0010), None);
}

#[test]
fn a_first_revision_pointer_leads_to_the_rsdt() {
    let mut memory = q35();
    let entries = u32::try_from(at(MCFG)).unwrap().to_le_bytes();
    memory.table(0x500, b"RSDT", &entries);
    memory
        .put(15, &[0])
        .put(16, &u32::try_from(at(0x500)).unwrap().to_le_bytes())
        .seal(0, 20, 8);
    let platform = memory.platform().unwrap();
    assert_eq!(
        platform.config_window,
        Some(ConfigWindow {
            base: 0xb000_0000,
            last_bus: 255
        })
    );
    assert_eq!(platform.reset, None);
}

#[test]
fn a_machine_without_the_tables_is_fine() {
    let mut memory = q35();
    root(&mut memory, &[]);
    assert_eq!(memory.platform(), Ok(Platform::default()));
}

#[test]
fn another_segment_and_a_window_from_a_later_bus_are_not_ours() {
    let mut memory = q35();
    let entries = [
        mcfg_entry(0x1_0000_0000, 1, 0, 255),
        mcfg_entry(0xc000_0000, 0, 16, 255),
    ];
    memory.table(MCFG, b"MCFG", &mcfg(&entries));
    assert_eq!(memory.platform().unwrap().config_window, None);
}

#[test]
fn an_impossible_window_is_refused() {
    for base in [0, 0xb000_1000, u64::MAX << 20] {
        let mut memory = q35();
        memory.table(MCFG, b"MCFG", &mcfg(&[mcfg_entry(base, 0, 0, 255)]));
        assert_eq!(memory.platform(), Err(AcpiError::Window(base)));
    }
}

#[test]
fn a_reset_register_that_is_absent_or_no_port_is_none() {
    for (offset, value) in [
        (FADT_FLAGS + 1, 0),
        (FADT_RESET_REGISTER, 0),
        (FADT_RESET_REGISTER + 6, 1),
    ] {
        let mut memory = q35();
        memory.put(FADT + offset, &[value]).seal(FADT, 244, 9);
        assert_eq!(memory.platform().unwrap().reset, None);
    }
    let mut memory = q35();
    memory.table(FADT, b"FACP", &[0xff; 80]);
    assert_eq!(memory.platform().unwrap().reset, None);
}

#[test]
fn each_damaged_byte_of_a_table_is_noticed() {
    let whole = q35();
    for offset in [0..36, XSDT..XSDT + 60, MCFG + 8..MCFG + 60, FADT + 8..FADT + 244]
        .into_iter()
        .flatten()
    {
        let mut memory = Memory(whole.0.clone());
        memory.0[offset] ^= 0x10;
        assert!(memory.platform().is_err(), "byte {offset:#x}");
    }
}

#[test]
fn tables_and_lengths_that_leave_memory_are_refused() {
    let mut memory = q35();
    root(&mut memory, &[0x10_0000]);
    assert_eq!(
        memory.platform(),
        Err(AcpiError::Unreadable(TableAddress(at(0x10_0000))))
    );
    for length in [0, 35, 0x1_0001, u32::MAX] {
        let mut memory = q35();
        memory.put(MCFG + 4, &length.to_le_bytes());
        assert_eq!(memory.platform(), Err(AcpiError::Length(Signature::MCFG, length)));
    }
    let mut memory = q35();
    memory.put(MCFG + 4, &0x1000u32.to_le_bytes());
    assert_eq!(
        memory.platform(),
        Err(AcpiError::Unreadable(TableAddress(at(MCFG))))
    );
}

#[test]
fn a_root_table_that_lists_itself_ends() {
    let mut memory = q35();
    root(&mut memory, &[XSDT, XSDT]);
    assert_eq!(memory.platform(), Ok(Platform::default()));
    let mut memory = Memory([q35().0, vec![0; 0x2000]].concat());
    root(&mut memory, &[XSDT; MAX_TABLES + 1]);
    assert_eq!(memory.platform(), Err(AcpiError::TooManyTables(MAX_TABLES + 1)));
}
