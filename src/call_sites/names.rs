//! Cold: what the name of a function tells: its crate, and whether the compiler made it. Names are
//! those that `symbolize::names` has made readable.

use crate::symbolize::names::short_name;

/// The crate at the start of a name; `None` where it has no path.
pub(super) fn crate_of(function: &str) -> Option<&str> {
    short_name(function).krate
}

/// Whether this is std's by its name. The compiler may attribute its shims and drop glue to the
/// code that they are made for. A method such as `<u8 as user::Trait>::f` is not known to be std's,
/// whatever its type: only the file can tell.
pub(super) fn is_of_std(function: &str, krate: Option<&str>) -> bool {
    let is_item = !function.starts_with('<');
    is_item && matches!(krate, Some("core" | "alloc" | "std")) || is_shim(function)
}

fn is_shim(function: &str) -> bool {
    function.contains("{shim:") || function.contains("{{vtable.shim}}")
}

/// Whether the compiler made this function itself and attributed it to the user's code: a shim,
/// drop glue, a clone.
pub(super) fn is_made_by_compiler(function: &str) -> bool {
    let (krate, path) = function.split_once("::").unwrap_or(("", function));
    let is_of_core = krate == "core" || krate.starts_with("core[");
    let modules = ["ptr::", "ops::", "clone::", "future::"];
    is_of_core && modules.iter().any(|module| path.starts_with(module)) || is_shim(function)
}

/// Whether this is what the compiler makes to drop a value; toolchains name it differently.
pub(super) fn is_drop_glue(function: &str) -> bool {
    let path = function.split('<').next().unwrap_or("").trim_end_matches("::");
    let name = path.rsplit("::").next().unwrap_or("");
    matches!(name, "drop_in_place" | "drop_glue")
}

/// Whether this is the last segment of a function that the compiler puts between the allocator and
/// its callers.
pub(crate) fn is_allocator_shim(name: &str) -> bool {
    ["__rust_", "__rg_", "__rdl_"].iter().any(|prefix| {
        let call = name.strip_prefix(prefix);
        matches!(call, Some("alloc" | "alloc_zeroed" | "realloc" | "dealloc"))
    })
}

/// Whether this is what `thread_local!` makes of an expression; toolchains name it differently.
pub(super) fn is_initialiser(name: &str) -> bool {
    name == "__init" || name.starts_with("__rust_std_internal_")
}

#[cfg(test)]
mod tests {
    use super::{crate_of, is_allocator_shim, is_drop_glue, is_of_std, short_name};

    #[test]
    fn drop_glue_has_its_name_in_each_mangling_and_where_it_is_inlined() {
        for function in [
            "core::ptr::drop_in_place<bt::M>",
            "core::ptr::drop_in_place::<bt::M>",
            "core[5e]::ptr::drop_glue::<bt::M>",
            "drop_in_place<bt::M>",
        ] {
            assert!(is_drop_glue(function), "{function}");
        }
        for function in ["<bt::M as core::ops::drop::Drop>::drop", "bt::drop_in_place_of::<u8>"] {
            assert!(!is_drop_glue(function), "{function}");
        }
    }

    #[test]
    fn what_std_and_the_compiler_make_is_told_from_impls_for_stds_types() {
        for function in [
            "core::ptr::drop_in_place<bt::M>",
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            "<bt::f::{closure} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
        ] {
            assert!(is_of_std(function, crate_of(function)), "{function}");
        }
        for function in ["<alloc::vec::Vec<u8> as bt::T>::go", "std_ext::parse", "parse"] {
            assert!(!is_of_std(function, crate_of(function)), "{function}");
        }
    }

    #[test]
    fn shims_of_the_allocator_are_known_under_each_of_their_names() {
        for function in ["__rust_alloc", "__rustc::__rust_realloc", "bt::_::__rg_alloc_zeroed"] {
            assert!(is_allocator_shim(short_name(function).name), "{function}");
        }
        for function in ["std::sys::backtrace::__rust_begin_short_backtrace", "alloc::alloc::alloc"]
        {
            assert!(!is_allocator_shim(short_name(function).name), "{function}");
        }
    }
}
