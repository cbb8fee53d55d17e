//! Hot: for tests of what is declared by hand: the C compiler compares it with the headers of the C
//! library.
//!
//! Relies on: nothing; only the addresses of fields are computed.

use std::io::Write;
use std::process::{Command, Stdio};

/// What C says of a field if it begins where it does here, and is as large.
macro_rules! is_field {
    ($type:ty, $field:ident, $of:literal, $name:literal) => {{
        let place = std::mem::MaybeUninit::<$type>::uninit();
        let start = place.as_ptr();
        // SAFETY: only the address of the field is taken.
        let field = unsafe { std::ptr::addr_of!((*start).$field) };
        let offset = field as usize - start as usize;
        let size = $crate::sys::headers::size_of_pointee(field);
        format!(
            "offsetof({of}, {name}) == {offset} && sizeof((({of} *)0)->{name}) == {size}",
            of = $of,
            name = $name
        )
    }};
}
pub(crate) use is_field;

pub(crate) fn size_of_pointee<T>(_: *const T) -> usize {
    std::mem::size_of::<T>()
}

/// Holds the conditions to these headers. Where no C compiler for this target is here, nothing is
/// compared.
#[track_caller]
pub(crate) fn compare(headers: &[&str], conditions: &[String]) {
    let asked = Command::new("cc").arg("-dumpmachine").output().map(|output| output.stdout);
    let machine = String::from_utf8(asked.unwrap_or_default()).unwrap_or_default();
    if !machine.starts_with(std::env::consts::ARCH) || !machine.contains(std::env::consts::OS) {
        return println!("skipped: no C compiler for this target is here");
    }
    let mut source = String::from("#define _GNU_SOURCE\n");
    for header in [&["stddef.h"], headers].concat() {
        source += &format!("#include <{header}>\n");
    }
    for condition in conditions {
        source += &format!("_Static_assert({condition}, \"{condition}\");\n");
    }
    let mut compiler = Command::new("cc")
        .args(["-std=c11", "-fsyntax-only", "-x", "c", "-"])
        // Else a compiler for x86_64 has 64 bits in mind.
        .args((std::env::consts::ARCH == "x86").then_some("-m32"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it has just answered");
    let mut input = compiler.stdin.take().expect("it is piped");
    input.write_all(source.as_bytes()).expect("it reads");
    drop(input);
    let output = compiler.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
