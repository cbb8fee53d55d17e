//! Cold: `parse`, which reads what `format!("{:#}")` of a `std::backtrace::Backtrace` prints. Pure:
//! text in, frames out; it never fails, but what it does not understand it leaves out.
//!
//! Each line of a function is `INDEX: ADDRESS - NAME`, for inlined functions with the same address
//! again, or, in some versions, with none. The line of its place follows, if that is known: `at
//! FILE:LINE:COLUMN`, the column only where there is one.
//!
//! ```text
//!    5:     0x564e4ebb311e - <names::M as names::T>::go::h5d23de1d34bc3189
//!                                at src/names.rs:19:57
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use crate::files::with_slashes;
use crate::symbolize::place::Symbol;

/// A frame of the stack: one address, and the functions that are there, innermost first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PrintedFrame {
    pub(crate) address: usize,
    pub(crate) symbols: Vec<Symbol>,
}

/// The frames in the order of the text. Neighbours with the same address are one frame.
pub(crate) fn parse(text: &str) -> Vec<PrintedFrame> {
    let mut frames: Vec<PrintedFrame> = Vec::new();
    let mut last_file: Option<Arc<str>> = None;
    for line in text.lines() {
        match (Line::of(line), frames.last_mut()) {
            (Line::Function(Some(address), name), frame) => match frame {
                Some(frame) if frame.address == address => frame.symbols.push(symbol(name)),
                _ => frames.push(PrintedFrame { address, symbols: vec![symbol(name)] }),
            },
            (Line::Function(None, name), Some(frame)) => frame.symbols.push(symbol(name)),
            (Line::Place(place), Some(frame)) => {
                let Some(symbol) = frame.symbols.last_mut() else { continue };
                if symbol.file.is_none() {
                    let known = last_file.take().filter(|last| **last == *place.file);
                    last_file = Some(known.unwrap_or_else(|| place.file.as_ref().into()));
                    symbol.file = last_file.clone();
                    (symbol.line, symbol.column) = (Some(place.line), place.column);
                }
            }
            // A name with a line break, which `#[export_name]` allows, ends there.
            (Line::Other, _) => {}
            (Line::Function(None, _) | Line::Place(_), None) => {}
        }
    }
    frames
}

fn symbol(name: &str) -> Symbol {
    let function = (name != "<unknown>").then(|| name.to_owned());
    Symbol { function, file: None, line: None, column: None }
}

enum Line<'a> {
    Function(Option<usize>, &'a str),
    Place(Place<'a>),
    Other,
}

struct Place<'a> {
    file: Cow<'a, str>,
    line: u32,
    column: Option<u32>,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let indent = count(line, |byte| byte == b' ');
        let text = &line[indent..];
        if let Some((address, name)) = addressed(text) {
            return Self::Function(Some(address), name);
        }
        // The column of the addresses is 27 wide.
        match (indent, text.strip_prefix("at ").and_then(place)) {
            (13.., Some(place)) => Self::Place(place),
            (27, None) if !text.is_empty() => Self::Function(None, text),
            _ => Self::Other,
        }
    }
}

/// `INDEX: ADDRESS - NAME`
fn addressed(text: &str) -> Option<(usize, &str)> {
    let digits = count(text, |byte| byte.is_ascii_digit());
    let rest = text[digits..].strip_prefix(": ").filter(|_| digits > 0)?;
    let rest = rest[count(rest, |byte| byte == b' ')..].strip_prefix("0x")?;
    let (address, name) = rest.split_at(count(rest, |byte| byte != b' '));
    Some((usize::from_str_radix(address, 16).ok()?, name.strip_prefix(" - ")?))
}

/// How many bytes from the start are so. By hand: in debug builds, patterns of `str` take fifty
/// times as long.
fn count(text: &str, is_so: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut count = 0;
    while count < bytes.len() && is_so(bytes[count]) {
        count += 1;
    }
    count
}

/// `FILE:LINE:COLUMN` or `FILE:LINE`. A file's name may have colons of its own; column 0 means that
/// it is not known.
fn place(text: &str) -> Option<Place<'_>> {
    let (rest, last) = number_at_end(text)?;
    match number_at_end(rest) {
        Some((file, line)) => Some(Place {
            file: with_slashes(file),
            line,
            column: Some(last).filter(|&column| column > 0),
        }),
        None => Some(Place { file: with_slashes(rest), line: last, column: None }),
    }
}

/// `REST:NUMBER`
fn number_at_end(text: &str) -> Option<(&str, u32)> {
    let bytes = text.as_bytes();
    let mut start = bytes.len();
    while start > 0 && bytes[start - 1].is_ascii_digit() {
        start -= 1;
    }
    let rest = text[..start].strip_suffix(':')?;
    Some((rest, text[start..].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{parse, PrintedFrame};
    use crate::symbolize::place::Symbol;

    fn symbol(function: &str, file: &str, line: u32, column: u32) -> Symbol {
        Symbol {
            function: (!function.is_empty()).then(|| function.to_owned()),
            file: (!file.is_empty()).then(|| file.into()),
            line: (line > 0).then_some(line),
            column: (column > 0).then_some(column),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &[Symbol])]) {
        let frame = |(address, symbols): &(usize, &[Symbol])| PrintedFrame {
            address: *address,
            symbols: symbols.to_vec(),
        };
        assert_eq!(parse(text), expected.iter().map(frame).collect::<Vec<_>>());
    }

    #[test]
    fn reads_what_rust_1_78_prints() {
        check(
            "\
   0:     0x5644a3fbbc83 - std::backtrace_rs::backtrace::libunwind::trace::h4e4a4bd3aa0d3b10
                               at /rustc/library/std/src/../../backtrace/src/backtrace/\
libunwind.rs:104:5
   1:     0x5644a3fbbc83 - std::backtrace::Backtrace::create::hac71ad8d1cd22d97
                               at /rustc/library/std/src/backtrace.rs:331:13
   2:     0x5644a3f9a5f2 - <app::M as app::Go>::go::hb41ed24917b5cb1c
                               at /users/me/app/src/main.rs:19:57
",
            &[
                (
                    0x5644a3fbbc83,
                    &[
                        symbol(
                            "std::backtrace_rs::backtrace::libunwind::trace::h4e4a4bd3aa0d3b10",
                            "/rustc/library/std/src/../../backtrace/src/backtrace/libunwind.rs",
                            104,
                            5,
                        ),
                        symbol(
                            "std::backtrace::Backtrace::create::hac71ad8d1cd22d97",
                            "/rustc/library/std/src/backtrace.rs",
                            331,
                            13,
                        ),
                    ],
                ),
                (
                    0x5644a3f9a5f2,
                    &[symbol(
                        "<app::M as app::Go>::go::hb41ed24917b5cb1c",
                        "/users/me/app/src/main.rs",
                        19,
                        57,
                    )],
                ),
            ],
        );
    }

    #[test]
    fn reads_what_rust_1_97_prints() {
        check(
            "\
   9:     0x55a9e5dcaa23 - std[d28b1718532fa52a]::sys::backtrace::\
__rust_begin_short_backtrace::<fn(), ()>
                               at /rustc/library/std/src/sys/backtrace.rs:166:18
  20:     0x7f33d62461ca - __libc_start_call_main
                               at ./csu/../sysdeps/nptl/libc_start_call_main.h:58:16
  21:     0x7f33d624628b - __libc_start_main_impl
  22:     0x55a9e5dca9e5 - _start
  23:                0x0 - <unknown>
",
            &[
                (
                    0x55a9e5dcaa23,
                    &[symbol(
                        "std[d28b1718532fa52a]::sys::backtrace::\
                        __rust_begin_short_backtrace::<fn(), ()>",
                        "/rustc/library/std/src/sys/backtrace.rs",
                        166,
                        18,
                    )],
                ),
                (
                    0x7f33d62461ca,
                    &[symbol(
                        "__libc_start_call_main",
                        "./csu/../sysdeps/nptl/libc_start_call_main.h",
                        58,
                        16,
                    )],
                ),
                (0x7f33d624628b, &[symbol("__libc_start_main_impl", "", 0, 0)]),
                (0x55a9e5dca9e5, &[symbol("_start", "", 0, 0)]),
                (0, &[symbol("", "", 0, 0)]),
            ],
        );
    }

    #[test]
    fn inlined_functions_may_stand_without_their_address() {
        check(
            "\
   2:     0x5644a3f9a5f2 - app::inner
                               at src/main.rs:1:2
                           app::outer<&str>
                               at src/main.rs:3:4
                           <unknown>
",
            &[(
                0x5644a3f9a5f2,
                &[
                    symbol("app::inner", "src/main.rs", 1, 2),
                    symbol("app::outer<&str>", "src/main.rs", 3, 4),
                    symbol("", "", 0, 0),
                ],
            )],
        );
    }

    #[test]
    fn a_place_may_lack_the_column_or_have_colons_in_its_name() {
        let place = |place: &str, expected: Symbol| {
            let text = format!("   0:     0x1 - f\n                               at {place}\n");
            check(&text, &[(1, &[expected])]);
        };
        place("src/main.rs:7", symbol("f", "src/main.rs", 7, 0));
        place("src/main.rs:7:0", symbol("f", "src/main.rs", 7, 0));
        place("src/a: b/12:3/x.rs:7:8", symbol("f", "src/a: b/12:3/x.rs", 7, 8));
        place("src/at the end/x.rs:7:8", symbol("f", "src/at the end/x.rs", 7, 8));
        place("./misc/clone3.S:81", symbol("f", "./misc/clone3.S", 81, 0));
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        check("", &[]);
        check("disabled backtrace", &[]);
        check("                               at src/main.rs:7:8", &[]);
        check("   0:     0xzz - f\n   x:     0x1 - g\n   1: 0x2", &[]);
        check("   0: 0xfffffffffffffffff - f", &[]);
        let odd = symbol("a: 0x2 - b", "", 0, 0);
        check("   0:     0x1 - a: 0x2 - b\nsecond line: of the name\n", &[(1, &[odd])]);
        let f = symbol("f", "", 0, 0);
        check(
            "   0:     0x1 - f\n        at nowhere\n        at a.rs:99999999999:1\n        at\n",
            &[(1, &[f])],
        );
    }

    #[test]
    fn any_part_of_the_text_can_be_read() {
        let text = "   0:     0x1 - é::f\n               at é.rs:1:2\n   1:  0x1 - <unknown>\n";
        for start in 0..text.len() {
            for end in start..=text.len() {
                parse(&String::from_utf8_lossy(&text.as_bytes()[start..end]));
            }
        }
    }
}
