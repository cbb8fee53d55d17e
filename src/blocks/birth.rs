//! Hot: `Birth`, when a block of a heap profile was allocated.

/// When a block was born, in one word: the serial of its profile's use, then ticks from the
/// beginning of that, in units of 64: 20 ns, for four days at 3 GHz. Older blocks count as that
/// old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Birth(u64);

/// Serials have so many bits.
pub(super) const SERIAL_BITS: u32 = 20;
const TIME_BITS: u32 = u64::BITS - SERIAL_BITS;
const TICKS_PER_UNIT: u64 = 64;

impl Birth {
    pub(super) fn new(serial: u64, ticks: u64) -> Self {
        let units = (ticks / TICKS_PER_UNIT).min((1 << TIME_BITS) - 1);
        Self(serial << TIME_BITS | units)
    }

    pub(super) fn serial(self) -> u64 {
        self.0 >> TIME_BITS
    }

    pub(super) fn ticks(self) -> u64 {
        (self.0 & ((1 << TIME_BITS) - 1)) * TICKS_PER_UNIT
    }

    pub(super) fn to_word(self) -> u64 {
        self.0
    }

    /// The inverse of [`to_word`](Self::to_word).
    pub(super) fn of_word(word: u64) -> Self {
        Self(word)
    }
}

#[cfg(test)]
mod tests {
    use super::{Birth, SERIAL_BITS};

    #[test]
    fn a_birth_is_of_one_profile_and_not_older_than_it_can_say() {
        for serial in [1, 2, (1 << SERIAL_BITS) - 1] {
            for ticks in [0, 64, 1 << 49] {
                let birth = Birth::new(serial, ticks);
                assert_eq!((birth.serial(), birth.ticks()), (serial, ticks));
                assert_eq!(Birth::of_word(birth.to_word()), birth);
            }
            assert_eq!(Birth::new(serial, u64::MAX).serial(), serial);
        }
    }
}
