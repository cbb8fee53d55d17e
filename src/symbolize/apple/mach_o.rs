//! Cold: `code`, where the code of a Mach-O file is, by its load commands. A pure function of
//! bytes, tested in `tests/mach_o`. The format is that of `mach-o/loader.h`.

use std::ops::Range;

/// Of `mach_header_64`, so many bytes: the commands follow.
pub(crate) const HEADER: usize = 32;
/// Where in it the sizes of what follows are: the number of commands, and their length.
pub(crate) const COMMAND_COUNT: usize = 16;
pub(crate) const COMMANDS_LENGTH: usize = 20;
/// Where in it the flags are, and that of a library which the system has mapped for all processes.
pub(crate) const FLAGS: usize = 24;
pub(crate) const IN_CACHE: u32 = 1 << 31;

pub(crate) const MAGIC: u32 = 0xfeed_facf;

/// The parts that may be executed, as addresses in the file; `commands` are so many.
pub(crate) fn code(commands: &[u8], count: u32) -> Vec<Range<u64>> {
    const SEGMENT_64: u32 = 0x19;
    const EXECUTABLE: u32 = 4;

    let mut found = Vec::new();
    let mut rest = commands;
    for _ in 0..count {
        let (Some(command), Some(length)) = (word(rest, 0), word(rest, 4)) else { break };
        let (true, Some(next)) = (length >= 8, rest.get(length as usize..)) else { break };
        if command == SEGMENT_64 {
            let (address, size) = (double(rest, 24), double(rest, 32));
            if let (Some(start), Some(size), Some(protection)) = (address, size, word(rest, 60)) {
                if protection & EXECUTABLE != 0 {
                    found.push(start..start.saturating_add(size));
                }
            }
        }
        rest = next;
    }
    found
}

/// The number of 32 bits at an offset.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn double(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
