//! Which vector registers sealing and opening may change. Whoever calls decides: what a CPU has does not tell whose the
//! registers are. Below an operating system their upper halves are a guest's, and no instruction of ours would fault.
#![expect(unsafe_code, reason = "only a caller knows whose the registers are")]

use super::avx2::Avx2;

/// Vector registers that may be changed.
#[derive(Clone, Copy)]
pub struct Vectors(Width);

#[derive(Clone, Copy)]
enum Width {
    Narrow,
    /// Of 256 bits; where they are somebody else's, whom to ask before.
    Wide(Avx2, Option<&'static dyn Lender>),
}

/// Who lends registers of 256 bits that are somebody else's.
pub trait Lender: Sync {
    /// Lets this CPU use them. Called before each text that is worth it, so all calls but the first should cost nothing.
    fn lend(&self);
}

impl Vectors {
    /// 128 bits, by legacy instructions, which leave upper halves alone: right wherever SSE is.
    pub const NARROW: Self = Self(Width::Narrow);

    /// What CPU and operating system give this process, of 256 bits where they can. Bare binaries do not have this
    /// function: it would tell them what the firmware or a guest may use.
    #[cfg(not(sekisho_bare))]
    #[must_use]
    pub fn of_process() -> Self {
        Avx2::detect().map_or(Self::NARROW, |avx2| Self(Width::Wide(avx2, None)))
    }

    /// 256 bits, each time after `lender` was asked.
    ///
    /// # Safety
    /// The CPU has AVX2 and BMI2. From the return of [`Lender::lend`] to the end of the call of [`super::seal`] or
    /// [`super::open`] that asked, this CPU executes them, and bits 128 and above of vector registers 0 to 15 may take any
    /// value: whoever owns these has them kept, gets them back, and sees nothing of what they held meanwhile.
    #[must_use]
    pub unsafe fn lent(lender: &'static dyn Lender) -> Self {
        // SAFETY: the caller vouches.
        Self(Width::Wide(unsafe { Avx2::assumed() }, Some(lender)))
    }

    /// The proof that the wide ones may be changed now.
    pub(super) fn wide(self) -> Option<Avx2> {
        let Width::Wide(avx2, lender) = self.0 else {
            return None;
        };
        lender.iter().for_each(|lender| lender.lend());
        Some(avx2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aead::{KEY_SIZE, NONCE_SIZE, open, seal};
    use crate::secret::Secret;
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

    struct Counting(AtomicU32);

    impl Lender for Counting {
        fn lend(&self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn lent_registers_are_asked_for_before_each_long_text_and_no_short_one() {
        static ASKED: Counting = Counting(AtomicU32::new(0));
        if Avx2::detect().is_none() {
            return;
        }
        // SAFETY: a process has its registers to itself, and the CPU was asked above.
        let vectors = unsafe { Vectors::lent(&ASKED) };
        let key = Secret::new([7; KEY_SIZE]);
        for (length, calls) in [(0, 0), (64, 0), (192, 0), (193, 2), (1420, 4)] {
            let mut text = alloc::vec![3; length];
            let tag = seal(vectors, &key, &[0; NONCE_SIZE], &[], &mut text).unwrap();
            assert_eq!(
                open(vectors, &key, &[0; NONCE_SIZE], &[], &mut text, &tag),
                Ok(())
            );
            assert_eq!(ASKED.0.load(Relaxed), calls, "{length} bytes");
        }
    }
}
