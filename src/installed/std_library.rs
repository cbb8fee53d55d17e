//! Cold: finds out whether the standard library is a part of the program, or of a dynamic library.
//! Asked only when budgets are about to refuse, to say why.

use std::env;
use std::fs;
use std::path::PathBuf;

pub(super) struct StdLibrary {
    /// The dynamic library that it is a part of; `None` if that is the program, or unknown.
    pub(super) file: Option<PathBuf>,
    /// Whether this crate is certainly a part of another file.
    pub(super) is_apart: bool,
}

pub(super) fn find() -> StdLibrary {
    // On Linux the system says which file is mapped where. Elsewhere there is no such text, and
    // nothing is known.
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let std_file = file_at(&maps, str::to_uppercase as fn(&str) -> String as usize);
    let own_file = file_at(&maps, find as fn() -> StdLibrary as usize);
    let is_apart = std_file.is_some() && own_file.is_some() && std_file != own_file;
    let program = env::current_exe().ok();
    StdLibrary { file: std_file.filter(|file| program.as_ref() != Some(file)), is_apart }
}

/// The file of which a part is mapped at `address`.
fn file_at(maps: &str, address: usize) -> Option<PathBuf> {
    let range = |line: &str| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
    };
    let line =
        maps.lines().find(|line| range(line).is_some_and(|range| range.contains(&address)))?;
    // Nothing before the path has a slash in it.
    line.find('/').map(|start| PathBuf::from(&line[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_at_an_address_is_that_of_the_range_around_it() {
        let maps = "\
e0c00000-e0c01000 r--p 00000000 08:01 1311                       /home/u/my app/target/t-1
e0c01000-e0c02000 r-xp 00001000 08:01 1311                       /home/u/my app/target/t-1
e0c02000-e0c03000 rw-p 00000000 00:00 0                          [heap]
f0000000-f0010000 r-xp 00000000 08:01 1312                       /lib/libstd-0123.so
";
        let check = |address, file: Option<&str>| {
            assert_eq!(file_at(maps, address), file.map(PathBuf::from), "{address:x}");
        };
        check(0xe0c0_0fff, Some("/home/u/my app/target/t-1"));
        check(0xe0c0_1000, Some("/home/u/my app/target/t-1"));
        check(0xf000_ffff, Some("/lib/libstd-0123.so"));
        check(0xe0c0_2000, None);
        check(0xf001_0000, None);
    }

    #[test]
    #[cfg(not(miri))]
    fn here_it_is_a_part_of_the_program() {
        let found = find();
        assert_eq!(found.file, None);
        assert!(!found.is_apart);
    }
}
