//! Hot: `Retained`, how many of the blocks that were allocated in a scope are live. Changed by [`live`], where the blocks are;
//! begun, read and ended by the scope.
//!
//! A `Retained` lives for ever and is used by one scope after another, while any thread may be about to free a block of an
//! earlier one. So every use has a serial number of its own, which the entries of its blocks carry. A thread first
//! compares that with the present one. It may be held up after that, while the scope ends and the next one begins;
//! therefore each word of the counts carries the last 32 bits of the serial too, and is changed by a compare-and-swap, which
//! fails if the word has become that of another scope. (It would take 4,294,967,296 scopes, begun while one thread stands
//! between two instructions, to deceive it.) Nobody waits, and a `Retained` can be used again at once.

use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};
use std::sync::atomic::{fence, AtomicU64, AtomicUsize};

use super::live;

/// How many scopes are between `begin` and `end`.
static TRACKING: AtomicUsize = AtomicUsize::new(0);

/// The last one given out; none is used twice.
static SERIALS: AtomicU64 = AtomicU64::new(0);

/// Whether any scope asks for its retained blocks. Whoever frees a block of a scope that still does is sure to see it: the
/// block came to him from where it was allocated, and that was after the beginning.
#[inline]
pub(crate) fn is_tracking() -> bool {
    TRACKING.load(Relaxed) > 0
}

/// The live blocks of one scope at a time. On a cache line of its own.
#[repr(align(64))]
pub(crate) struct Retained {
    /// 0 while nobody uses it.
    serial: AtomicU64,
    blocks: Digit,
    bytes: [Digit; 2],
    lost: Digit,
}

impl Retained {
    #[allow(clippy::declare_interior_mutable_const)] // A template, copied into each new one.
    pub(crate) const NEW: Self = Self {
        serial: AtomicU64::new(0),
        blocks: Digit::ZERO,
        bytes: [Digit::ZERO; 2],
        lost: Digit::ZERO,
    };

    /// A scope begins to use it, as the only one. `false` if there is no memory to keep blocks in.
    pub(crate) fn begin(&'static self) -> bool {
        if !live::prepare() {
            return false;
        }
        let serial = SERIALS.fetch_add(1, Relaxed) + 1;
        self.blocks.begin(serial);
        self.bytes[0].begin(serial);
        self.bytes[1].begin(serial);
        self.lost.begin(serial);
        self.serial.store(serial, Release);
        TRACKING.fetch_add(1, SeqCst);
        // The caller goes on to change other threads' limits: see `profile`.
        fence(SeqCst);
        true
    }

    /// The scope is over. The counts stay readable until the next one begins.
    pub(crate) fn end(&'static self) {
        if self.serial.swap(0, Release) != 0 {
            TRACKING.fetch_sub(1, SeqCst);
        }
    }

    /// How many are live. Exact while no other thread frees them; so are the bytes.
    pub(crate) fn blocks(&self) -> i64 {
        self.blocks.get().into()
    }

    pub(crate) fn bytes(&self) -> i64 {
        let [low, high] = &self.bytes;
        (i64::from(high.get()) << 32) | i64::from(low.get())
    }

    /// How many blocks found no room. They are in no other number.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.get().into()
    }
}

/// For the table of live blocks.
impl Retained {
    /// 0 if nobody uses it.
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.serial.load(Relaxed)
    }

    /// The scope has so many more, unless it is over.
    #[inline]
    pub(super) fn add(&self, serial: u64, blocks: i64, bytes: i64) {
        if serial != self.serial() {
            return;
        }
        if blocks != 0 {
            self.blocks.add(serial, blocks);
        }
        let carry = self.bytes[0].add(serial, bytes);
        if carry != 0 {
            self.bytes[1].add(serial, carry);
        }
    }

    #[cold]
    pub(super) fn lose_one(&self, serial: u64) {
        if self.lost.get() < u32::MAX {
            self.lost.add(serial, 1);
        }
    }
}

/// 32 bits of a number, below the last 32 of the serial of the scope that it belongs to.
struct Digit(AtomicU64);

const VALUE: u64 = u32::MAX as u64;

impl Digit {
    #[allow(clippy::declare_interior_mutable_const)] // A template, too.
    const ZERO: Self = Self(AtomicU64::new(0));

    fn begin(&self, serial: u64) {
        self.0.store(serial << 32, Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Relaxed) as u32
    }

    /// Returns what the next digit is to be changed by; changes nothing if the digit belongs to another scope.
    #[inline]
    fn add(&self, serial: u64, difference: i64) -> i64 {
        let tag = serial << 32;
        let mut now = self.0.load(Relaxed);
        while now & !VALUE == tag {
            let sum = ((now & VALUE) as i64).wrapping_add(difference);
            let new = tag | (sum as u64 & VALUE);
            match self.0.compare_exchange_weak(now, new, Relaxed, Relaxed) {
                Ok(_) => return sum >> 32,
                Err(changed) => now = changed,
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{is_tracking, Digit, Retained};

    fn new() -> &'static Retained {
        Box::leak(Box::new(Retained::NEW))
    }

    #[test]
    fn a_scope_that_is_over_changes_nothing() {
        let retained = new();
        assert!(retained.begin());
        let first = retained.serial();
        retained.add(first, 2, 30);
        retained.lose_one(first);
        assert_eq!((retained.blocks(), retained.bytes(), retained.lost()), (2, 30, 1));
        retained.end();
        retained.add(first, -1, -10);
        assert_eq!((retained.blocks(), retained.bytes()), (2, 30), "readable after the end");
        assert!(retained.begin());
        retained.add(first, -1, -10);
        assert_eq!((retained.blocks(), retained.bytes(), retained.lost()), (0, 0, 0));
        assert_ne!(retained.serial(), first);
        retained.end();
    }

    /// The thread was held up between its look at the serial and the change.
    #[test]
    fn a_late_change_meets_a_word_of_another_scope() {
        let digit = Digit::ZERO;
        digit.begin(7);
        assert_eq!(digit.add(7, 5), 0);
        assert_eq!(digit.add(6, 1), 0);
        assert_eq!(digit.get(), 5);
        digit.begin(8);
        assert_eq!((digit.add(7, -1), digit.get()), (0, 0));
        let lost = new();
        assert!(lost.begin());
        let first = lost.serial();
        lost.end();
        assert!(lost.begin());
        lost.lose_one(first);
        assert_eq!(lost.lost(), 0);
        lost.end();
    }

    #[test]
    fn digits_carry() {
        let digit = Digit::ZERO;
        digit.begin(1);
        assert_eq!((digit.add(1, -1), digit.get()), (-1, u32::MAX));
        assert_eq!((digit.add(1, 1), digit.get()), (1, 0));
        assert_eq!((digit.add(1, 5 << 32 | 9), digit.get()), (5, 9));
        assert_eq!((digit.add(1, -(3 << 32) - 10), digit.get()), (-4, u32::MAX));

        let retained = new();
        assert!(retained.begin());
        let serial = retained.serial();
        let sizes = [3 << 30, 1, (1 << 46) - 1, 4 << 30, 1 << 32];
        let mut sum = 0;
        for size in sizes {
            retained.add(serial, 1, size);
            sum += size;
            assert_eq!(retained.bytes(), sum);
        }
        for size in sizes {
            retained.add(serial, -1, -size);
            sum -= size;
            assert_eq!(retained.bytes(), sum);
        }
        assert_eq!(retained.blocks(), 0);
        retained.end();
    }

    #[test]
    fn tracking_lasts_from_the_first_beginning_to_the_last_end() {
        let (one, two) = (new(), new());
        assert!(one.begin() && two.begin());
        one.end();
        one.end();
        assert!(is_tracking(), "an end too many is nobody else's");
        two.end();
        // Other tests may have scopes of their own.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(100);
        while is_tracking() {
            assert!(std::time::Instant::now() < deadline, "tracking never ends");
            std::thread::yield_now();
        }
    }
}
