//! Argon2 (RFC 9106), version 1.3: the keyslots of LUKS2 headers.
//!
//! The costs come from a header, which may be hostile: its reader bounds them before memory is taken.

use alloc::vec::Vec;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize;

/// How memory is addressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Independently of the password.
    Argon2i,
    /// Independently in the first half of the first pass, then not.
    Argon2id,
}

/// What a guess costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Costs {
    /// Memory in KiB, at least 8 a lane.
    pub memory: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
    /// Lanes, at least 1. They are computed one after the other.
    pub lanes: u32,
}

/// Why nothing was derived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// RFC 9106, section 3.1 does not allow these costs, or a length: password, salt (at least 8) or output (at
    /// least 4).
    Parameters,
    /// There is less memory than the costs ask for.
    Memory {
        /// KiB asked for.
        needed: u32,
    },
}

/// The memory of a computation, wiped after each use and when dropped.
pub struct Memory(Vec<Block>);

impl Memory {
    /// As much as `costs` ask for.
    ///
    /// # Errors
    /// [`Error::Memory`] when there is not enough.
    pub fn for_costs(costs: Costs) -> Result<Self, Error> {
        let needed = costs.memory;
        let blocks = usize::try_from(needed).map_err(|_| Error::Memory { needed })?;
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(blocks)
            .map_err(|_| Error::Memory { needed })?;
        memory.resize(blocks, Block::default());
        Ok(Self(memory))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Fills `out` with what `password` and `salt` give.
///
/// # Errors
/// [`Error`].
pub fn derive(
    variant: Variant,
    costs: Costs,
    password: &[u8],
    salt: &[u8],
    memory: &mut Memory,
    out: &mut [u8],
) -> Result<(), Error> {
    let algorithm = match variant {
        Variant::Argon2i => Algorithm::Argon2i,
        Variant::Argon2id => Algorithm::Argon2id,
    };
    let parameters = Params::new(costs.memory, costs.passes, costs.lanes, Some(out.len()))
        .map_err(|_| Error::Parameters)?;
    let done = Argon2::new(algorithm, Version::V0x13, parameters).hash_password_into_with_memory(
        password,
        salt,
        out,
        memory.0.as_mut_slice(),
    );
    memory.0.iter_mut().for_each(Zeroize::zeroize);
    done.map_err(|error| match error {
        argon2::Error::MemoryTooLittle => Error::Memory { needed: costs.memory },
        _ => Error::Parameters,
    })
}
