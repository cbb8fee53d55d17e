//! Hot: the frequent half of an event in assembly, in the place of `frequent.rs`, which says what
//! it means. One line here is one instruction, in every build. Optimised, the assembly calls the
//! slow half, too. So an event is one small thing for the compiler, which it inlines even where it
//! optimises for size, and no register is saved around it.
//!
//! Each function begins with the line of the current thread (`pointer_symbol.rs`), in `rax`; the
//! block is in `rdi`. Of the labels, `2` counts, `3` is what is above the gate, `4` leaves the
//! event to the slow half, `5` is the end.
//!
//! Relies on: as `frequent.rs`; the System V ABI, by which the slow half is called.
#![allow(unsafe_code)]

use std::arch::asm;

use super::pointer::find_current_line;
use super::thread_counters::Word;

#[path = "frequent.rs"]
#[allow(dead_code)] // But for these, what the tests below compare with.
mod plain;
pub(crate) use plain::{Realloc, SlowHalf};

const _: () = assert!(Word::Net as usize == 0 && Word::Got as usize * 8 == 8);
const _: () = assert!(Word::Allocs as usize * 8 == 16 && Word::Deallocs as usize * 8 == 24);
const _: () = assert!(Word::Reallocs as usize * 8 == 32 && Word::High as usize * 8 == 40);
const _: () = assert!(Word::Gate as usize * 8 == 48 && Word::Floor as usize * 8 == 56);
const _: () = assert!(Word::Ceiling as usize * 8 == 72);

/// Leaves the event to the slow half, which is called here and returns the block. Unoptimised, the
/// Rust code behind the assembly calls it instead, for then the compiler moves some value for each
/// register that a call may change.
#[cfg(not(debug_assertions))]
macro_rules! leave {
    ($($argument:literal),*) => {
        concat!($($argument, "\n",)* "call {slow}\nmov rdi, rax")
    };
}
#[cfg(debug_assertions)]
macro_rules! leave {
    ($($argument:literal),*) => {
        "xor eax, eax"
    };
}

macro_rules! frequent_half {
    (
        $(#[$doc:meta])*
        $name:ident($($size:ident),*),
        ($($operand:tt)*),
        $($instruction:expr),* $(,)?
    ) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<S: SlowHalf>(block: *mut u8, $($size: i64),*) -> *mut u8 {
            #[cfg(not(debug_assertions))]
            {
                let same: *mut u8;
                // SAFETY: the line is the current thread's own, or every event takes the way to
                // `4`. Others store their half of the gate, floor and ceiling by one instruction
                // each. The stack is aligned for the call; what it may change is said.
                unsafe {
                    asm!(
                        find_current_line!(),
                        "mov rax, fs:[rax]",
                        $($instruction,)*
                        slow = sym S::$name,
                        $($operand)*,
                        inout("rdi") block => same,
                        out("rax") _,
                        out("rcx") _,
                        clobber_abi("sysv64"),
                    );
                }
                same
            }
            #[cfg(debug_assertions)]
            {
                let line: usize;
                // SAFETY: as above, but that nothing is called.
                unsafe {
                    asm!(
                        find_current_line!(),
                        "mov rax, fs:[rax]",
                        $($instruction,)*
                        $($operand)*,
                        in("rdi") block,
                        out("rax") line,
                        out("rcx") _,
                        out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                        out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                        out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                        out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                    );
                }
                if line != 0 {
                    block
                } else {
                    S::$name(block, $($size),*)
                }
            }
        }
    };
}

frequent_half!(
    /// As `plain::alloc`.
    alloc(size),
    (size = in(reg) size),
    "test rdi, rdi",
    "je 4f",
    "mov rcx, [rax + 48]",
    "sub rcx, {size}",
    "cmp rcx, [rax]",
    "jge 2f",
    "mov rcx, [rax]",
    "add rcx, {size}",
    "cmp rcx, [rax + 72]",
    "jbe 3f",
    "4:",
    leave!("mov rsi, {size}"),
    "jmp 5f",
    "3:",
    "cmp rcx, [rax + 40]",
    "jle 2f",
    "mov [rax + 40], rcx",
    "mov [rax + 48], ecx",
    "2:",
    "add [rax], {size}",
    "add [rax + 8], {size}",
    "inc qword ptr [rax + 16]",
    "5:",
);

frequent_half!(
    /// As `plain::dealloc`.
    dealloc(size),
    (size = in(reg) size),
    "mov rcx, [rax + 56]",
    "add rcx, {size}",
    "cmp rcx, [rax]",
    "jbe 2f",
    leave!("mov rsi, {size}"),
    "jmp 5f",
    "2:",
    "sub [rax], {size}",
    "inc qword ptr [rax + 24]",
    "5:",
);

frequent_half!(
    /// As `plain::realloc`.
    realloc(old_size, size),
    (in("rsi") old_size, in("rdx") size),
    "test rdi, rdi",
    "je 4f",
    "mov rcx, [rax]",
    "add rcx, rdx",
    "sub rcx, rsi",
    "cmp rcx, [rax + 56]",
    "jl 4f",
    "cmp rcx, [rax + 48]",
    "jle 2f",
    "cmp rcx, [rax + 72]",
    "jbe 3f",
    "4:",
    leave!(),
    "jmp 5f",
    "3:",
    "cmp rcx, [rax + 40]",
    "jle 2f",
    "mov [rax + 40], rcx",
    "mov [rax + 48], ecx",
    "2:",
    "mov rcx, rdx",
    "sub rcx, rsi",
    "add [rax], rcx",
    "add [rax + 8], rdx",
    "inc qword ptr [rax + 32]",
    "5:",
);

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::Ordering::Relaxed;

    use super::{alloc, dealloc, plain, realloc, SlowHalf, Word};
    use crate::counters::current::{current, set_line, CurrentLine};
    use crate::counters::thread_counters::{flip, flush_interval, LOWEST};
    use crate::counters::{ignored, ThreadCounters};
    use crate::sys::random_tests::Random;

    thread_local! {
        static LEFT: Cell<Option<[i64; 4]>> = const { Cell::new(None) };
    }

    /// Notes what is left to it.
    struct Left;

    fn leave(event: [i64; 4], block: *mut u8) -> *mut u8 {
        LEFT.with(|left| left.set(Some(event)));
        block
    }

    fn take_left() -> Option<[i64; 4]> {
        LEFT.with(Cell::take)
    }

    impl SlowHalf for Left {
        extern "C" fn alloc(block: *mut u8, size: i64) -> *mut u8 {
            leave([1, block as i64, size, 0], block)
        }

        extern "C" fn dealloc(block: *mut u8, size: i64) -> *mut u8 {
            leave([2, block as i64, size, 0], block)
        }

        extern "C" fn realloc(block: *mut u8, old_size: i64, size: i64) -> *mut u8 {
            leave([3, block as i64, old_size, size], block)
        }
    }

    const WORDS: [Word; 9] = {
        use Word::{Allocs, Ceiling, Deallocs, Floor, Gate, Got, High, Net, Reallocs};
        [Net, Got, Allocs, Deallocs, Reallocs, High, Gate, Floor, Ceiling]
    };

    /// Does `work` on a thread whose line is that of `counters`. It must not allocate.
    fn on<R>(counters: &'static ThreadCounters, work: impl FnOnce() -> R) -> R {
        struct Restore(CurrentLine);
        impl Drop for Restore {
            fn drop(&mut self) {
                // SAFETY: the line that the thread had before.
                unsafe { set_line(self.0.as_ptr()) };
            }
        }
        let _restore = Restore(current());
        // SAFETY: the test has made the counters for this. They are no `ThreadState`, but nobody
        // asks for that: nothing allocates meanwhile.
        unsafe { set_line(counters.line()) };
        work()
    }

    fn counters(words: &[i64; 9]) -> &'static ThreadCounters {
        let counters: &ThreadCounters = Box::leak(Box::new(ThreadCounters::NEW));
        for (word, value) in WORDS.into_iter().zip(words) {
            counters.word(word).store(*value, Relaxed);
        }
        counters
    }

    fn words(counters: &ThreadCounters) -> [i64; 9] {
        WORDS.map(|word| counters.word(word).load(Relaxed))
    }

    const BLOCK: *mut u8 = std::ptr::NonNull::dangling().as_ptr();
    const SIZES: [i64; 10] =
        [0, 1, 8, 64, 100, 16 << 10, (16 << 10) + 1, 1 << 31, 1 << 40, i64::MAX];

    /// A line at a random moment.
    fn moment(random: &mut Random) -> [i64; 9] {
        let near = |random: &mut Random| random.below(33 << 10) as i64 - (16 << 10);
        let flushed = LOWEST + near(random) + [0, 1 << 31, -(1 << 31), 1 << 40][random.below(4)];
        let (floor, ceiling) = flush_interval(flushed);
        let net = (flushed + near(random)).clamp(floor, ceiling);
        let high = (net + SIZES[random.below(5)]).clamp(floor, ceiling);
        let [net, high, mut floor, mut ceiling] = [net, high, floor, ceiling].map(flip);
        let mut gate = high;
        // Somebody wants every event, and may have stored but one half of that.
        if random.below(4) == 0 {
            gate &= (1 << 32) - 1;
        }
        if random.below(4) == 0 {
            ceiling = 0;
        }
        if random.below(4) == 0 {
            floor = i64::MAX;
        }
        [net, 1_000, 100, 50, 10, high, gate, floor, ceiling]
    }

    #[test]
    fn the_assembly_does_what_it_means() {
        let random = &mut Random(1);
        let (mut counted, mut highs, mut slow) = (0, 0, 0);
        for _ in 0..20_000 {
            let before = moment(random);
            let (size, old) = (SIZES[random.below(10)], SIZES[random.below(10)]);
            let kind = random.below(3);
            let block = if random.below(10) == 0 { std::ptr::null_mut() } else { BLOCK };
            let (meant, done) = (counters(&before), counters(&before));
            let meant_block = on(meant, || match kind {
                0 => plain::alloc::<Left>(block, size),
                1 => plain::dealloc::<Left>(block, size),
                _ => plain::realloc::<Left>(block, old, size),
            });
            let meant_left = take_left();
            let done_block = on(done, || match kind {
                0 => alloc::<Left>(block, size),
                1 => dealloc::<Left>(block, size),
                _ => realloc::<Left>(block, old, size),
            });
            let left = take_left();
            let context = (block, kind, old, size, before);
            assert_eq!([meant_block, done_block], [block; 2], "{context:?}");
            assert_eq!((left, words(done)), (meant_left, words(meant)), "{context:?}");
            let [net, _, _, _, _, high, gate, ..] = words(meant);
            if left.is_none() {
                counted += 1;
                assert!(net <= high || net == before[0], "{context:?}");
                assert_eq!(gate >> 32, before[6] >> 32, "{context:?}");
                highs += usize::from(high != before[5]);
            } else {
                slow += 1;
                assert_eq!(words(meant), before);
            }
        }
        assert!(counted > 1_000 && highs > 100 && slow > 1_000, "{counted} {highs} {slow}");
    }

    #[test]
    fn the_first_event_of_a_thread_is_for_the_slow_half_whatever_its_size() {
        let new: &ThreadCounters = Box::leak(Box::new(ThreadCounters::NEW));
        let is_left = |event: &dyn Fn() -> *mut u8| {
            assert_eq!(event(), BLOCK);
            take_left().is_some()
        };
        for size in SIZES {
            let events = || {
                [
                    is_left(&|| alloc::<Left>(BLOCK, size)),
                    is_left(&|| plain::alloc::<Left>(BLOCK, size)),
                    is_left(&|| dealloc::<Left>(BLOCK, size)),
                    is_left(&|| plain::dealloc::<Left>(BLOCK, size)),
                ]
            };
            assert_eq!(on(new, events), [true; 4], "{size}");
            for old in SIZES {
                assert!(on(new, || is_left(&|| realloc::<Left>(BLOCK, old, size))));
                assert!(on(new, || is_left(&|| plain::realloc::<Left>(BLOCK, old, size))));
            }
            let dummy = ignored(|_| events());
            assert_eq!(dummy, [true; 4], "{size}");
        }
    }
}
