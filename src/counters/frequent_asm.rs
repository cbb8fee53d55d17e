//! Hot: the frequent half of an event in assembly, in the place of `frequent.rs`, which says what
//! it means. Unoptimised builds on x86_64 Linux run this: one line here is one instruction.
//!
//! Each function begins with the line of the current thread (`pointer_symbol.rs`). Its result is
//! the line, or 0 if the event is for the slow half. Of the labels, `2` counts, `3` is what is
//! above the gate, `4` leaves the event to the slow half, `5` is the end.
//!
//! Relies on: as `frequent.rs`.
#![allow(unsafe_code)]

use std::arch::asm;

use super::pointer::find_current_line;
use super::thread_counters::Word;

#[path = "frequent.rs"]
#[allow(dead_code)] // But for this type, what the tests below compare with.
mod plain;
pub(crate) use plain::Realloc;

const _: () = assert!(Word::Net as usize == 0 && Word::Got as usize * 8 == 8);
const _: () = assert!(Word::Allocs as usize * 8 == 16 && Word::Deallocs as usize * 8 == 24);
const _: () = assert!(Word::Reallocs as usize * 8 == 32 && Word::High as usize * 8 == 40);
const _: () = assert!(Word::Gate as usize * 8 == 48 && Word::Floor as usize * 8 == 56);
const _: () = assert!(Word::Ceiling as usize * 8 == 72);

macro_rules! frequent_half {
    (
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty),*),
        $($instruction:literal),* $(,)?
    ) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name($($argument: $type),*) -> bool {
            let line: usize;
            // SAFETY: the line is the current thread's own, or every event takes the way to `4`.
            // Others store their half of the gate, floor and ceiling by one instruction each.
            unsafe {
                asm!(
                    find_current_line!(),
                    "mov rax, fs:[rax]",
                    $($instruction,)*
                    out("rax") line,
                    net = out(reg) _,
                    $($argument = in(reg) $argument,)*
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                    out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                    out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                    out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                );
            }
            line != 0
        }
    };
}

frequent_half!(
    /// As `plain::alloc`.
    alloc(block: *mut u8, size: i64),
    "test {block}, {block}",
    "je 4f",
    "mov {net}, [rax + 48]",
    "sub {net}, {size}",
    "cmp {net}, [rax]",
    "jge 2f",
    "mov {net}, [rax]",
    "add {net}, {size}",
    "cmp {net}, [rax + 72]",
    "jbe 3f",
    "4:",
    "xor eax, eax",
    "jmp 5f",
    "3:",
    "cmp {net}, [rax + 40]",
    "jle 2f",
    "mov [rax + 40], {net}",
    "mov [rax + 48], {net:e}",
    "2:",
    "add [rax], {size}",
    "add [rax + 8], {size}",
    "inc qword ptr [rax + 16]",
    "5:",
);

frequent_half!(
    /// As `plain::dealloc`.
    dealloc(size: i64),
    "mov {net}, [rax + 56]",
    "add {net}, {size}",
    "cmp {net}, [rax]",
    "jbe 2f",
    "xor eax, eax",
    "jmp 5f",
    "2:",
    "sub [rax], {size}",
    "inc qword ptr [rax + 24]",
    "5:",
);

frequent_half!(
    /// As `plain::realloc`.
    realloc(block: *mut u8, old_size: i64, size: i64),
    "test {block}, {block}",
    "je 4f",
    "mov {net}, [rax]",
    "add {net}, {size}",
    "sub {net}, {old_size}",
    "cmp {net}, [rax + 56]",
    "jl 4f",
    "cmp {net}, [rax + 48]",
    "jle 2f",
    "cmp {net}, [rax + 72]",
    "jbe 3f",
    "4:",
    "xor eax, eax",
    "jmp 5f",
    "3:",
    "cmp {net}, [rax + 40]",
    "jle 2f",
    "mov [rax + 40], {net}",
    "mov [rax + 48], {net:e}",
    "2:",
    "mov {net}, {size}",
    "sub {net}, {old_size}",
    "add [rax], {net}",
    "add [rax + 8], {size}",
    "inc qword ptr [rax + 32]",
    "5:",
);

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::{alloc, dealloc, plain, realloc, Word};
    use crate::counters::current::{current, set_line, CurrentLine};
    use crate::counters::thread_counters::{flip, flush_interval, LOWEST};
    use crate::counters::{ignored, ThreadCounters};
    use crate::sys::random_tests::Random;

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
        let (mut counted, mut highs, mut left) = (0, 0, 0);
        for _ in 0..20_000 {
            let before = moment(random);
            let (size, old) = (SIZES[random.below(10)], SIZES[random.below(10)]);
            let kind = random.below(3);
            let block = if random.below(10) == 0 { std::ptr::null_mut() } else { BLOCK };
            let (meant, done) = (counters(&before), counters(&before));
            let is_meant = on(meant, || match kind {
                0 => plain::alloc(block, size),
                1 => plain::dealloc(size),
                _ => plain::realloc(block, old, size),
            });
            let is_done = on(done, || match kind {
                0 => alloc(block, size),
                1 => dealloc(size),
                _ => realloc(block, old, size),
            });
            let context = (block, kind, old, size, before);
            assert_eq!((is_done, words(done)), (is_meant, words(meant)), "{context:?}");
            let [net, _, _, _, _, high, gate, ..] = words(meant);
            if is_meant {
                counted += 1;
                assert!(net <= high || net == before[0], "{context:?}");
                assert_eq!(gate >> 32, before[6] >> 32, "{context:?}");
                highs += usize::from(high != before[5]);
            } else {
                left += 1;
                assert_eq!(words(meant), before);
            }
        }
        assert!(counted > 1_000 && highs > 100 && left > 1_000, "{counted} {highs} {left}");
    }

    #[test]
    fn the_first_event_of_a_thread_is_for_the_slow_half_whatever_its_size() {
        let new: &ThreadCounters = Box::leak(Box::new(ThreadCounters::NEW));
        for size in SIZES {
            let events = || {
                [alloc(BLOCK, size), plain::alloc(BLOCK, size), dealloc(size), plain::dealloc(size)]
            };
            assert_eq!(on(new, events), [false; 4], "{size}");
            for old in SIZES {
                assert!(!on(new, || realloc(BLOCK, old, size) || plain::realloc(BLOCK, old, size)));
            }
            let dummy = ignored(|_| events());
            assert_eq!(dummy, [false; 4], "{size}");
        }
    }
}
