//! Functions with frames of many kinds, whose unwind tables the tests read; see `tests.rs`.
#![no_std]
#![no_main]

use core::hint::black_box;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

type Callback = extern "C" fn(*mut u64) -> u64;

/// Functions with frames of some words, that keep so many values across calls.
macro_rules! functions {
    ($($name:ident: $words:literal $kept:tt;)*) => {$(
        #[no_mangle]
        #[inline(never)]
        pub extern "C" fn $name(call: Callback) -> u64 {
            let mut words = [0_u64; $words];
            functions!(@keep call words $kept)
        }
    )*};
    (@keep $call:ident $words:ident ($($kept:ident)*)) => {{
        $(let $kept = $call($words.as_mut_ptr());)*
        $call($words.as_mut_ptr()) $(^ $kept)*
    }};
}

functions! {
    nothing: 1 ();
    one: 1 (a);
    two: 2 (a b);
    three: 1 (a b c);
    four: 30 (a b c d);
    five: 3 (a b c d e);
    six: 5 (a b c d e f);
    nine: 100 (a b c d e f g h i);
    eleven: 300 (a b c d e f g h i j k);
    thirteen: 700 (a b c d e f g h i j k l m);
}

/// Doubles that are kept, too.
#[no_mangle]
pub extern "C" fn doubles(call: extern "C" fn() -> f64) -> f64 {
    let (a, b, c, d) = (call(), call(), call(), call());
    let (e, f, g, h) = (call(), call(), call(), call());
    a * b + c * d + e * f + g * h * call()
}

/// Without a frame.
#[no_mangle]
pub extern "C" fn leaf(a: u64) -> u64 {
    a.wrapping_mul(3)
}

/// Frames that are aligned to more than 16 bytes.
#[repr(align(64))]
struct Aligned([u64; 8]);

#[no_mangle]
pub extern "C" fn aligned(call: Callback) -> u64 {
    let mut value = Aligned([0; 8]);
    call(value.0.as_mut_ptr()) + call(value.0.as_mut_ptr())
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    // Else the linker leaves them out.
    black_box(doubles as *const ());
    black_box(leaf as *const ());
    black_box([aligned, nothing, one, two, three, four, five, six, nine, eleven, thirteen]);
    0
}
