//! Stacks laid out for the functions of real tables, and unwound as Apple's unwinder does it: by
//! the frame record, and by what the encoding says of saved registers. Whatever that reads must be
//! in the memory that was laid out.

use crate::layout::{Layout, Memory};
use crate::real::{Real, ALL};
use crate::unwind_info::{encoding_at, Frame, Function};
use crate::walk::{Caller, Cfa, SavedFp};

/// Where the file is taken to be.
const FILE: usize = 0x1_0000_0000;

impl Real {
    /// What the table says of a return address.
    fn frame(&self, return_address: usize) -> Option<Frame> {
        let offset = u32::try_from(return_address - 1 - FILE).expect("in the file");
        match Function::of(encoding_at(self.table, offset)?, self.processor)? {
            Function::Framed(frame) => Some(frame),
            Function::InEhFrame(_) => None,
        }
    }
}

/// The return addresses that are found in the memory, from its first frame record.
fn unwind(real: &Real, memory: &Memory) -> Vec<usize> {
    let start = memory._words.as_ptr() as usize;
    let read = |address: usize| {
        assert!(address >= start && address % 8 == 0, "outside of the memory");
        memory._words[(address - start) / 8]
    };
    let (mut found, mut fp) = (Vec::new(), memory.cfa - 16);
    loop {
        let return_address = read(fp + 8);
        if return_address == 0 {
            return found;
        }
        found.push(return_address);
        fp = read(fp);
        let frame = real.frame(return_address).expect("it was laid out");
        for saved in (fp - frame.below..fp + frame.above).step_by(8) {
            read(saved);
        }
    }
}

#[test]
fn what_is_laid_out_is_found_and_nothing_else_is_read() {
    let by_record = Caller::frame(Cfa::Fp(16), SavedFp::BelowCfa(16));
    let mut all = 0;
    for real in ALL {
        let inside = real.functions().into_iter().map(|(offset, _)| FILE + offset as usize + 4);
        let framed: Vec<_> = inside.filter(|address| real.frame(*address).is_some()).collect();
        all += framed.len();
        for (first, count) in (0..framed.len()).zip([1, 2, 3, 3_000].into_iter().cycle()) {
            let addresses = framed.iter().copied().cycle().skip(first).take(count);
            let addresses: Vec<_> = addresses.collect();
            let mut layout = Layout::new();
            for address in &addresses {
                assert!(layout.push(*address, by_record, None));
            }
            assert_eq!(unwind(&real, &layout.finish(|address, _| address)), addresses);
        }
    }
    assert!(all > 20, "{all} functions");
}
