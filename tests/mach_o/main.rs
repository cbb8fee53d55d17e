//! What of macOS can be tested on any system: the parts that are pure functions, on tables that
//! compilers made (`tables/make.sh`) and on made-up ones. Their files are compiled into this test.
//! They read what processors of 64 bits run, and are compiled only for such.
#![cfg(target_pointer_width = "64")]
#![allow(dead_code, unreachable_pub)]

mod commands;
mod laid_out;
#[path = "../../src/symbolize/common/layout.rs"]
mod layout;
#[path = "../../src/symbolize/apple/mach_o.rs"]
mod mach_o;
mod made_up;
mod real;
#[path = "../../src/walk/apple/unwind_info.rs"]
mod unwind_info;
mod walk;
