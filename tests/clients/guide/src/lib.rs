//! The examples of the guide that need other crates, as documentation tests of one module for each
//! page. `build.rs` makes them.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));
