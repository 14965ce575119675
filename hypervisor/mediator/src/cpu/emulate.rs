//! Carries out the one instruction that touched an intercepted address, as the CPU would have.
//!
//! The nested fault names the guest-physical address and the direction; the instruction's bytes are the guest's
//! and may have been changed since, so they can ask for anything: the worst they reach is the device at the
//! faulting address, or a refusal, which the machine turns into a fault inside the guest.

use super::decode::{Action, Mode, Move, common_move, quick_move};
use super::fetch::InstructionBytes;
use super::general;
use super::registers::{Registers, Width};
use super::walk::Unreachable;

/// What answers at the faulting address.
pub trait Device {
    /// Whether an operand that faulted at the start of a page may have begun in the page before. Where the pages
    /// before are the device's too, the fault would have been there.
    const MAY_BEGIN_BEFORE: bool = true;

    /// The register's value; only the low `width` counts.
    fn read(&mut self, width: Width) -> u64;
    /// Takes `value`, cut to `width`.
    fn write(&mut self, width: Width, value: u64);
}

/// Segment registers as instructions number them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Segment {
    /// ES.
    Es,
    /// CS.
    Cs,
    /// SS.
    Ss,
    /// DS.
    Ds,
    /// FS.
    Fs,
    /// GS.
    Gs,
}

/// What the rarer instructions ask of the CPU beyond its registers; nothing here is called for plain moves.
pub trait Surroundings {
    /// The base of a segment, as the save area holds it.
    fn segment_base(&self, segment: Segment) -> u64;

    /// Reads ordinary guest memory at a linear address, with the running code's rights.
    ///
    /// # Errors
    /// [`Refusal::PageFault`] or [`Refusal::Undecodable`].
    fn read(&self, linear: u64, buffer: &mut [u8]) -> Result<(), Refusal>;

    /// Writes ordinary guest memory at a linear address, with the running code's rights.
    ///
    /// # Errors
    /// [`Refusal::PageFault`] or [`Refusal::Undecodable`].
    fn write(&self, linear: u64, bytes: &[u8]) -> Result<(), Refusal>;
}

/// The nested fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The guest-physical address, to the byte.
    pub address: u64,
    /// Which way.
    pub direction: Direction,
}

/// Which way the faulting access went; read-modify-write is a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// A load.
    Read,
    /// A store, or a load that will be stored again.
    Write,
}

/// Why the instruction was not carried out. The registers are as before, and nothing was written; a string move
/// whose destination faults has read its device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Not an instruction that is emulated on device registers: #UD for the guest.
    Undecodable,
    /// Its other memory operand faults: #PF with this address and error code for the guest.
    PageFault {
        /// For CR2.
        linear: u64,
        /// The error code.
        error_code: u32,
    },
}

impl From<Unreachable> for Refusal {
    fn from(_: Unreachable) -> Self {
        Self::Undecodable
    }
}

const FLAG_RESUME: u64 = 1 << 16;

const PAGE: u64 = 4096;

/// Carries out the instruction in `bytes`, whose memory operand faulted, against `device`: all of it, or one round of
/// a repeated one. The registers hold its results then.
///
/// The machine must end an interrupt shadow (STI, MOV SS), and raise #DB with DR6.BS where RFLAGS.TF is set (AMD APM
/// volume 2, section 13.1.4), for the instruction after it has run.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
#[inline(always)]
pub fn emulate<D: Device, S: Surroundings>(
    registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
    fault: Fault,
    device: &mut D,
    surroundings: &S,
) -> Result<(), Refusal> {
    // Away from the page's ends every operand is whole.
    let first = u64::from(D::MAY_BEGIN_BEFORE);
    if mode == Mode::Bits64
        && (first..=PAGE - 8).contains(&(fault.address % PAGE))
        && let Some(plain) = quick_move(bytes)
    {
        perform(plain, registers, mode, device);
        return Ok(());
    }
    emulate_any(registers, mode, bytes, fault, device, surroundings)
}

#[inline(never)]
fn emulate_any<D: Device, S: Surroundings>(
    registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
    fault: Fault,
    device: &mut D,
    surroundings: &S,
) -> Result<(), Refusal> {
    if let Some(plain) = common_move(mode, bytes)
        && is_whole(plain, fault)
    {
        perform(plain, registers, mode, device);
        return Ok(());
    }
    general::emulate(registers, mode, bytes, fault, device, surroundings)
}

/// True if the operand surely starts where the fault is, and ends in its page. One that crosses into an intercepted
/// page faults at that page's first byte; then only the full decoder can tell.
fn is_whole(plain: Move, fault: Fault) -> bool {
    let offset = fault.address % PAGE;
    offset != 0 && offset + u64::from(plain.width.bytes()) <= PAGE
}

/// Carries out the instruction in `bytes` as if nothing were at its address: stores vanish, loads give ones.
///
/// For memory that does not exist for the guest. What cannot be emulated but has a length, and does not transfer
/// control, is stepped over.
///
/// # Errors
/// [`Refusal`]: the machine must inject a fault, so that the guest cannot loop here.
pub fn skip<S: Surroundings>(
    registers: &mut Registers,
    mode: Mode,
    bytes: &InstructionBytes,
    fault: Fault,
    surroundings: &S,
) -> Result<(), Refusal> {
    match emulate(registers, mode, bytes, fault, &mut Nothing, surroundings) {
        Err(Refusal::Undecodable) => general::step_over(registers, mode, bytes),
        other => other,
    }
}

/// Makes the full decoder build its tables, which are taken from the heap on first use: to be called while there
/// is one.
pub fn warm_up() {
    general::prepare();
}

/// An address where nothing answers.
struct Nothing;

impl Device for Nothing {
    fn read(&mut self, width: Width) -> u64 {
        width.mask()
    }

    fn write(&mut self, _: Width, _: u64) {}
}

/// Does it, and moves behind it.
#[inline(always)]
pub(super) fn perform<D: Device>(plain: Move, registers: &mut Registers, mode: Mode, device: &mut D) {
    let width = plain.width;
    match plain.action {
        Action::Store(register) => device.write(width, registers.read(register, width)),
        Action::StoreImmediate(value) => device.write(width, value & width.mask()),
        Action::Load(register) => {
            let value = device.read(width);
            registers.write(register, width, value);
        }
        Action::LoadZero(register, result) => {
            let value = device.read(width) & width.mask();
            registers.write(register, result, value);
        }
        Action::LoadSign(register, result) => {
            let value = width.sign_extend(device.read(width));
            registers.write(register, result, value);
        }
    }
    advance(registers, mode, plain.length);
}

/// The end of an instruction of `length` bytes: the instruction pointer moves behind it, and RF is consumed.
#[inline]
pub(super) fn advance(registers: &mut Registers, mode: Mode, length: u8) {
    registers.rip = registers.rip.wrapping_add(u64::from(length)) & mode.pointer_mask();
    registers.rflags &= !FLAG_RESUME;
}
