//! The bytes of the instruction that exited, read from guest memory where the CPU does not hand them over.
//!
//! They are copied once; another guest CPU may have changed them since the exit, so what they say is a wish like
//! any other guest input, not a fact about what the CPU executed.

use super::walk::{
    GuestMemory, Intent, Paging, Privilege, Unreachable, Untranslated, present_address, translate,
};

/// Longest x86 instruction (AMD APM volume 3, section 1.1).
pub const LONGEST_INSTRUCTION: usize = 15;

const PAGE: u64 = 4096;

/// Up to 15 bytes at the instruction pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstructionBytes {
    /// 16, so that one load takes them; beyond `length` zeros or the next instruction.
    bytes: [u8; 16],
    length: u8,
}

impl InstructionBytes {
    /// The first 15 of `bytes`, for CPUs that report what they fetched.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut all = [0; 16];
        let length = bytes.len().min(LONGEST_INSTRUCTION);
        for (to, from) in all.iter_mut().zip(bytes.iter().take(LONGEST_INSTRUCTION)) {
            *to = *from;
        }
        Self {
            bytes: all,
            length: u8::try_from(length).unwrap_or(0),
        }
    }

    /// The bytes that were read.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&[])
    }

    /// How many bytes were read, at most [`LONGEST_INSTRUCTION`].
    #[inline]
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// The first eight as one number, the first byte lowest.
    #[inline]
    #[must_use]
    pub const fn head(&self) -> u64 {
        match self.bytes.first_chunk() {
            Some(first) => u64::from_le_bytes(*first),
            None => 0,
        }
    }

    /// All of them as one number, the first byte lowest.
    #[inline]
    #[must_use]
    pub const fn window(&self) -> u128 {
        u128::from_le_bytes(self.bytes)
    }
}

/// Reads the instruction at linear address `linear` (code segment base plus instruction pointer).
///
/// Where the instruction's page is followed by one that cannot be fetched, the bytes end with the page: the CPU
/// got through with those, or would have faulted itself.
///
/// # Errors
/// [`Untranslated`] if not even the first byte can be read.
#[inline(always)]
pub fn fetch<M: GuestMemory>(
    paging: &Paging,
    linear: u64,
    privilege: Privilege,
    memory: &M,
) -> Result<InstructionBytes, Untranslated> {
    if linear % PAGE <= PAGE - 16
        && let Some(physical) = present_address(paging, linear, memory)
    {
        let mut bytes = [0; 16];
        memory.read(physical, &mut bytes)?;
        return Ok(InstructionBytes { bytes, length: 15 });
    }
    fetch_any(paging, linear, privilege, memory)
}

#[inline(never)]
fn fetch_any<M: GuestMemory>(
    paging: &Paging,
    linear: u64,
    privilege: Privilege,
    memory: &M,
) -> Result<InstructionBytes, Untranslated> {
    let physical = translate(paging, linear, Intent::Fetch, privilege, memory)?;
    if linear % PAGE > PAGE - 16 {
        return across_pages(paging, linear, physical, privilege, memory);
    }
    let mut bytes = [0; 16];
    memory.read(physical, &mut bytes)?;
    Ok(InstructionBytes { bytes, length: 15 })
}

#[cold]
fn across_pages<M: GuestMemory>(
    paging: &Paging,
    linear: u64,
    physical: u64,
    privilege: Privilege,
    memory: &M,
) -> Result<InstructionBytes, Untranslated> {
    let mut bytes = [0; LONGEST_INSTRUCTION];
    let in_first = usize::try_from(PAGE - linear % PAGE).unwrap_or(LONGEST_INSTRUCTION);
    let (first, second) = bytes.split_at_mut(in_first.min(LONGEST_INSTRUCTION));
    memory.read(physical, first)?;
    let next = (linear | (PAGE - 1)).wrapping_add(1);
    let reached = match translate(paging, next, Intent::Fetch, privilege, memory) {
        Ok(next_physical) => memory.read(next_physical, second),
        Err(_) => Err(Unreachable),
    };
    let length = match reached {
        Ok(()) => LONGEST_INSTRUCTION,
        Err(Unreachable) => in_first.min(LONGEST_INSTRUCTION),
    };
    Ok(InstructionBytes::new(bytes.get(..length).unwrap_or(&[])))
}
