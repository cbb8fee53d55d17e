//! Feeds the parsers of unwind tables with anything. `tests/fuzz/README.md` says how to run it.
//!
//! The files of the crate are compiled into it, in modules that are named as theirs, so that the
//! crate need not make them public. The input is an address in the code, the offsets of an entry
//! and of a header, and then the memory that these are in.
#![no_main]
#![allow(dead_code, unreachable_pub)]

use libfuzzer_sys::fuzz_target;

use walk::caller::Caller;
use walk::target::tables::{bytes, eh_frame, header};
use walk::target::{aarch64_dwarf, aarch64_rule, x86_64_dwarf, x86_64_rule};

#[path = "../../../src/walk"]
mod walk {
    pub(crate) mod caller;

    #[path = "."]
    pub(crate) mod target {
        #[path = "aarch64/dwarf.rs"]
        pub(crate) mod aarch64_dwarf;
        #[path = "aarch64/rule.rs"]
        pub(crate) mod aarch64_rule;
        #[path = "x86_64/dwarf.rs"]
        pub(crate) mod x86_64_dwarf;
        #[path = "x86_64/rule.rs"]
        pub(crate) mod x86_64_rule;
        #[path = "elf"]
        pub(crate) mod tables {
            pub(crate) mod bytes;
            pub(crate) mod eh_frame;
            pub(crate) mod frame_program;
            pub(crate) mod header;
            pub(crate) mod row;
        }
    }
}

/// Where the memory lies, so that entries can be relative to themselves.
const ADDRESS: usize = 0x5555_0000_0000;

/// What a processor makes of the rows.
macro_rules! check {
    ($dwarf:ident, $rule:ident, $segment:expr, $entry:expr, $pc:expr, $last:expr) => {
        if let Some(caller) = eh_frame::caller_at::<$dwarf::Dwarf>($segment, $entry, $pc, $last) {
            let rule = $rule::Rule::of(caller);
            assert!(rule.word() != 0 && rule.word() >> $rule::Rule::BITS == 0);
            let _: Caller = rule.caller();
        }
    };
}

fuzz_target!(|input: (u16, u16, u16, &[u8])| {
    let (pc, entry, header, memory) = input;
    let segment = bytes::Segment { bytes: memory, address: ADDRESS };
    let pc = ADDRESS.wrapping_add(usize::from(pc)).wrapping_sub(1 << 15);
    let found = header::Functions::read(segment, ADDRESS + usize::from(header)).entry_of(pc);
    let (mut x86_64, mut aarch64) = (eh_frame::LastCies::NONE, eh_frame::LastCies::NONE);
    for entry in [Some(ADDRESS + usize::from(entry)), found].into_iter().flatten() {
        check!(x86_64_dwarf, x86_64_rule, segment, entry, pc, &mut x86_64);
        check!(aarch64_dwarf, aarch64_rule, segment, entry, pc, &mut aarch64);
    }
});
