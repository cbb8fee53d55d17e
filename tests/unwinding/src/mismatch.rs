//! What is said about a mismatch.

use std::fmt::{self, Write};

use crate::system;
use crate::walk::Stop;

/// It is written to without buffers or locks, which the thread may hold.
struct Stderr;

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        system::print(text);
        Ok(())
    }
}

/// Prints both stacks, and ends the process. `walked` begins with the outermost frame, and
/// `expected` with the innermost one.
#[cold]
pub(crate) fn exit(fault: &str, walked: &[usize], stop: Stop, expected: &[usize]) -> ! {
    let _ = print(fault, walked, stop, expected);
    system::exit()
}

fn print(fault: &str, walked: &[usize], stop: Stop, expected: &[usize]) -> fmt::Result {
    let mut out = Stderr;
    writeln!(out, "unwinding: MISMATCH: {fault}")?;
    writeln!(out, "walked, {} frames, which ended as {}:", walked.len(), stop.reason())?;
    walked.iter().rev().try_for_each(|address| print_address(*address))?;
    writeln!(out, "{}, {} frames:", system::UNWINDER, expected.len())?;
    expected.iter().try_for_each(|address| print_address(*address))
}

/// Prints an address with its module and the offset in that, for `addr2line`.
fn print_address(address: usize) -> fmt::Result {
    let mut out = Stderr;
    let mut result = Ok(());
    system::with_module(address, |module| {
        result = match module {
            Some((name, start)) => writeln!(out, "  {address:#x} {name}+{:#x}", address - start),
            None => writeln!(out, "  {address:#x}"),
        }
    });
    result
}
