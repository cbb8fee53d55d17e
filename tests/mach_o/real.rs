//! Tables of programs that the compiler and the linker made of `tables/functions.rs`. What is in
//! them, llvm-objdump has read.

use crate::unwind_info::{encoding_at, Frame, Function, Processor};

pub(crate) struct Real {
    pub(crate) table: &'static [u8],
    /// Lines of an offset and an encoding.
    read: &'static str,
    pub(crate) processor: Processor,
}

macro_rules! real {
    ($name:literal, $processor:ident) => {
        Real {
            table: include_bytes!(concat!("tables/", $name, ".table")),
            read: include_str!(concat!("tables/", $name, ".read")),
            processor: Processor::$processor,
        }
    };
}

pub(crate) const ALL: [Real; 4] = [
    real!("x86_64-dev", X86_64),
    real!("x86_64-release", X86_64),
    real!("aarch64-dev", Arm64),
    real!("aarch64-release", Arm64),
];

impl Real {
    /// Offsets of functions, and their encodings.
    pub(crate) fn functions(&self) -> Vec<(u32, u32)> {
        let number = |text: &str| u32::from_str_radix(text, 16).expect("hexadecimal");
        let pair = |line: &str| {
            let (offset, encoding) = line.split_once(' ').expect("two numbers");
            (number(offset), number(encoding))
        };
        self.read.lines().map(pair).collect()
    }
}

#[test]
fn each_offset_has_the_encoding_of_its_function() {
    for real in ALL {
        let functions = real.functions();
        assert!(functions.len() > 7, "{functions:x?}");
        assert_eq!(encoding_at(real.table, functions[0].0 - 1), None);
        let ends = functions[1..].iter().map(|&(offset, _)| offset);
        let last = functions[functions.len() - 1].0 + 4;
        for (&(start, encoding), end) in functions.iter().zip(ends.chain([last])) {
            for offset in start..end {
                assert_eq!(encoding_at(real.table, offset), Some(encoding), "{offset:x}");
            }
        }
        assert_eq!(encoding_at(real.table, u32::MAX), None);
    }
}

#[test]
fn functions_are_those_that_the_program_has() {
    for real in ALL {
        let functions = real.functions();
        let kinds = functions.iter().map(|&(_, encoding)| Function::of(encoding, real.processor));
        let (mut framed, mut in_eh_frame) = (Vec::new(), 0);
        for kind in kinds.flatten() {
            match kind {
                Function::Framed(frame) => framed.push(frame),
                Function::InEhFrame(_) => in_eh_frame += 1,
            }
        }
        // Neighbours of the same encoding share an entry.
        assert!(framed.len() + in_eh_frame >= 7, "{framed:?}, {in_eh_frame}");
        let most = framed.iter().map(|frame| frame.below).max();
        match (real.processor, in_eh_frame) {
            (Processor::X86_64, 0) => assert_eq!(most, Some(5 * 8), "{framed:?}"),
            // Ten registers, and eight halves of others.
            (Processor::Arm64, 0) => assert!(most >= Some(80), "{framed:?}"),
            _ => assert!(framed.is_empty() && in_eh_frame > 10),
        }
        assert!(framed.iter().all(|frame| frame.below <= Frame::FURTHEST.below));
    }
}

#[test]
fn a_table_that_was_cut_off_or_damaged_is_read_without_a_panic() {
    for real in ALL {
        let offsets: Vec<_> = real.functions().iter().map(|&(offset, _)| offset).collect();
        for end in 0..300.min(real.table.len()) {
            for &offset in &offsets {
                let _ = encoding_at(&real.table[..end], offset);
            }
        }
        for at in 0..300.min(real.table.len()) {
            for value in [0, 1, 0x7f, 0xff] {
                let mut table = real.table.to_vec();
                table[at] = value;
                for &offset in &offsets {
                    let encoding = encoding_at(&table, offset);
                    let _ = encoding.map(|encoding| Function::of(encoding, real.processor));
                }
            }
        }
    }
}
