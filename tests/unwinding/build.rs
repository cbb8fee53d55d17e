//! Compiles the C code: `c/frames.c` once for each way in which compilers lay out frames, and
//! `c/library.c` to libraries that the program loads.

use std::env;
use std::path::Path;
use std::process::Command;

/// Names of the tables in `frames.c`, and how each is compiled.
const FRAMES: [(&str, u32, &[&str]); 5] = [
    ("frames_o0", 0, &["-fno-omit-frame-pointer"]),
    ("frames_o0_omit", 0, &["-fomit-frame-pointer"]),
    ("frames_o2", 2, &["-fno-omit-frame-pointer"]),
    ("frames_o2_omit", 2, &["-fomit-frame-pointer"]),
    ("frames_o2_args", 2, &["-fomit-frame-pointer", "-maccumulate-outgoing-args"]),
];

/// All differ in the size of their frames. In the first two, each instruction has the same place.
/// In the third one, the function that calls back has another one.
const LIBRARIES: [(&str, &[&str]); 3] = [
    ("first", &["-DFRAME=700", "-DPADDING=0"]),
    ("alike", &["-DFRAME=1000", "-DPADDING=0"]),
    ("apart", &["-DFRAME=600", "-DPADDING=1"]),
];

fn main() {
    println!("cargo:rerun-if-changed=c");
    // Code cannot ask for `opt-level`, so Cargo tells it.
    println!("cargo:rustc-env=OPT_LEVEL={}", env::var("OPT_LEVEL").expect("Cargo sets it"));

    let is_apple = env::var("CARGO_CFG_TARGET_VENDOR").as_deref() == Ok("apple");
    for (name, level, flags) in FRAMES {
        let mut build = cc::Build::new();
        build.file("c/frames.c").opt_level(level).force_frame_pointer(false).define("TABLE", name);
        // There, walks go by frame pointers.
        let flags = if is_apple { &["-fno-omit-frame-pointer"] } else { flags };
        for flag in flags {
            build.flag_if_supported(flag);
        }
        build.compile(name);
    }

    if is_apple {
        return;
    }
    let out = env::var("OUT_DIR").expect("Cargo sets it");
    let mut build = cc::Build::new();
    let is_windows = env::var("CARGO_CFG_WINDOWS").is_ok();
    if is_windows {
        // The recursion takes more than the main thread's megabyte.
        println!("cargo:rustc-link-arg=-Wl,--stack,16777216");
    }
    let build = build.opt_level(2).pic(!is_windows).force_frame_pointer(false);
    let compiler = build.get_compiler();
    for (name, flags) in LIBRARIES {
        let library = Path::new(&out).join(name).with_extension("so");
        let mut command: Command = compiler.to_command();
        command.args(["-shared", "-fno-stack-protector", "-fno-toplevel-reorder"]);
        command.args(["-fomit-frame-pointer", "c/library.c", "-o"]).arg(&library);
        // All at the same address. A loader of ELF may take another one, if that is not free.
        command.arg(if is_windows {
            "-Wl,--image-base,0x6f0000000,--disable-dynamicbase"
        } else {
            "-Wl,-Ttext-segment=0x6f0000000"
        });
        let status = command.args(flags).status().expect("the C compiler runs");
        assert!(status.success(), "{command:?}");
    }
    println!("cargo:rustc-env=LIBRARIES={out}");
}
