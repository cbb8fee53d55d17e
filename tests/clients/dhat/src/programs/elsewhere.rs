//! The program goes to another folder than it was started in. The paths of source files in a
//! profile do not depend on it.

use std::env;
use std::hint::black_box;

use crate::dhat;

pub(super) fn run() {
    let file = env::current_dir().unwrap().join("elsewhere.json");
    env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let _profiler = dhat::Profiler::builder().file_name(file).trim_backtraces(None).build();
    black_box(Box::new(black_box(1)));
}
