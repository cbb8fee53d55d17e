//! Cold: folded stacks, the input of Brendan Gregg's flame graph tools (`stackcollapse` formats):
//! `main;parse;grow 9`.

use super::frame::Frame;
use super::site::SiteData;

/// A line for each site. Sites that only differ in files and lines give equal lines, which the
/// tools add up.
pub(super) fn text(data: &SiteData) -> String {
    let mut text = String::new();
    let names = data.chains.list.map(&mut name);
    for site in &data.sites {
        let mut before = "";
        for frame in data.numbers(site).iter().rev() {
            text.push_str(before);
            text.push_str(&names[*frame as usize]);
            before = ";";
        }
        text.push_str(&format!(" {}\n", site.events()));
    }
    if data.unattributed.events() > 0 {
        text.push_str(&format!("(not_attributed) {}\n", data.unattributed.events()));
    }
    text
}

/// A name without semicolons and white space, which would end it.
fn name(frame: &Frame) -> String {
    let name = match (frame.function(), &frame.parts.module) {
        (Some(function), _) => function.to_owned(),
        (None, Some(_)) => frame.to_string(),
        (None, None) => "unknown".to_owned(),
    };
    let is_separator = |c: char| c == ';' || c.is_whitespace();
    name.chars().map(|c| if is_separator(c) { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{counts, Program};
    use super::text;

    #[test]
    fn a_line_has_all_frames_from_the_outside_in_and_the_count() {
        let program = Program {
            places: "
                1 t::main @ /p/src/main.rs:1
                2 <t::M<[u8; 4]> as t::T>::go @ /p/src/main.rs:2
                3 alloc::vec::Vec<T, A>::push @ /rustc/5/library/alloc/src/vec/mod.rs:5
                4 ?libx.so+16
            ",
            location: "src/main.rs",
            stacks: &[(&[1, 2, 3], counts(2, 1, 8)), (&[1, 4], counts(1, 0, 8))],
            unattributed: counts(7, 0, 8),
            ..Program::NONE
        };
        let expected = "t::main;<t::M<[u8__4]>_as_t::T>::go;alloc::vec::Vec<T,_A>::push 3\n\
                        t::main;libx.so+0x10 1\n\
                        (not_attributed) 7\n";
        assert_eq!(text(&program.data()), expected);
    }
}
