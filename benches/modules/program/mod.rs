//! A program of 40 modules. The compiler divides it into several units, as it does any program of
//! some size, and what of an allocator is inlined where depends on that.

mod loops;

use workloads::Workload;

/// One file, again and again: modules that differ in their number, and so in their code.
macro_rules! modules {
    ($($name:ident)*) => {
        $(
            #[allow(clippy::duplicate_mod)] // As is said above.
            #[path = "module.rs"]
            mod $name;
        )*

        /// Calls every function of every module.
        fn call_all() {
            $($name::call_all();)*
        }
    };
}

modules! {
    m00 m01 m02 m03 m04 m05 m06 m07 m08 m09 m10 m11 m12 m13 m14 m15 m16 m17 m18 m19
    m20 m21 m22 m23 m24 m25 m26 m27 m28 m29 m30 m31 m32 m33 m34 m35 m36 m37 m38 m39
}

/// The whole of the program. The loops run on a heap that the modules have not used yet.
pub(crate) fn main() {
    workloads::main(&[
        Workload::new("pair-64", loops::pair),
        Workload::new("one-realloc", loops::one_realloc),
        Workload::new("zeroed", loops::zeroed),
        Workload::new("pushes", loops::pushes),
    ]);
    call_all();
}
