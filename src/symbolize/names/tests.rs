//! Cold: the tests of the names of functions.

use super::{implementor, is_within, readable, short_name, ShortName};

#[track_caller]
fn check(function: &str, name: &str, krate: &str) {
    let krate = (!krate.is_empty()).then_some(krate);
    let expected = ShortName { name, is_closure: false, krate };
    assert_eq!(short_name(function), expected, "{function}");
}

#[track_caller]
fn check_closure(function: &str, name: &str, krate: &str) {
    let krate = (!krate.is_empty()).then_some(krate);
    let expected = ShortName { name, is_closure: true, krate };
    assert_eq!(short_name(function), expected, "{function}");
}

#[test]
fn a_function_has_the_same_name_in_each_spelling() {
    check("app::deep::parse::hdb133ee911432cea", "parse", "app");
    check("app::deep::parse", "parse", "app");
    check("app[7272149bd8684777]::deep::parse", "parse", "app");
    check("app[7272149bd8684777]::parse::<&str>", "parse", "app");
    check("app[1]::parse::<&alloc[87b0fb19d3271c63]::string::String>", "parse", "app");
    check("app[1]::arrays::<3usize>", "arrays", "app");
    check("parse<&alloc::string::String>", "parse", "");
    check("parse", "parse", "");
    check("app[1]::with_inner::inner", "inner", "app");
}

#[test]
fn a_function_is_within_its_crate_and_its_modules() {
    let check = |function: &str, path, expected| {
        assert_eq!(is_within(function, path), expected, "{function}: {path}");
    };
    for function in [
        "app::deep::parse::<&str>",
        "app[7272149bd8684777]::deep::parse",
        "app::deep::M::new",
        "<app::deep::M>::new",
        "<app::deep::M as core::clone::Clone>::clone",
        "<&mut app::deep::M<lib::T> as lib::Go>::go",
        "<alloc::vec::Vec<lib::M> as app::deep::Go>::go",
        "<dyn app::deep::Go>::go",
        "<u8 as app::deep::Go>::go",
        "app::deep::<impl lib::Go for lib::M>::go",
        "app::deep::parse::{closure#0}",
    ] {
        check(function, "app", Some(true));
        check(function, "app::deep", Some(true));
        check(function, "app::dee", Some(false));
        check(function, "ap", Some(false));
        check(function, "lib", Some(false));
        check(function, "core", Some(false));
        check(function, "app::deep::deeper::deepest::yet", Some(false));
    }
    check("<alloc::vec::Vec<app::M> as core::clone::Clone>::clone", "app", Some(false));
    check("<alloc::vec::Vec<app::M> as core::clone::Clone>::clone", "core", Some(true));
    check("parse<app::M>", "app", None);
    check("parse", "parse", None);
}

#[test]
fn a_method_has_the_same_name_in_each_spelling() {
    check("app::M::inh::h12b54a30ddca4c2c", "inh", "app");
    check("<app[7272149bd8684777]::M>::inh::<u8>", "inh", "app");
    check("inh<u8>", "inh", "");
    check("<app::M as app::Go>::go::h5d23de1d34bc3189", "go", "app");
    check("<app[1f]::M as lib[2f]::Go>::go", "go", "app");
    check("app::imp::<impl lib::Go for app::G<app::M>>::go::h5d23de1d34bc3189", "go", "app");
    check("app::Go::provided::h64d1972fe5dd41fe", "provided", "app");
    check("<app[1]::M as app[1]::Go>::provided", "provided", "app");
    check("provided<app::M>", "provided", "");
    check("app::{impl#0}::go", "go", "app");
    check("<app::G<X> as app::Go>::go::h145c6145f432cee8", "go", "app");
}

#[test]
fn a_method_is_its_types_or_else_its_traits() {
    let check = |function: &str, expected: Option<&str>| {
        assert_eq!(implementor(function), expected, "{function}");
    };
    for function in [
        "app::M::inh::h12b54a30ddca4c2c",
        "<app[7272149bd8684777]::M>::inh::<u8>",
        "<app::M as app::Go>::go::h5d23de1d34bc3189",
        "<&mut app[1f]::M<u8> as lib[2f]::Go>::go",
        "app::imp::<impl lib::Go for app::M<app::N>>::go::h5d23de1d34bc3189",
        "app::_::<impl lib::Go for app::M>::go",
        "<app::M as app::Go>::go::{{closure}}",
        "<dyn app::M>::of_the_trait_object",
        "app::M<T>::inh::{closure#0}",
    ] {
        check(function, Some("M"));
    }
    check("app::Go::provided::h64d1972fe5dd41fe", Some("Go"));
    check("<F as app::Go>::go", Some("Go"));
    check("<[u8] as app::Go>::go", Some("[u8]"));
    check("alloc::slice::<impl [T]>::to_vec", Some("[T]"));
    check("<str as alloc::string::ToString>::to_string", Some("str"));
    check("<alloc::vec::Vec<u8> as app::Go>::go", Some("Vec"));
    check("std::collections::hash::map::HashMap<K,V,S,A>::insert", Some("HashMap"));
    for function in [
        "app::deep::parse",
        "app::M::inh::inner",
        "App::parse",
        "<(u8, app::M) as app::Go>::go",
        "<fn(&str) -> usize as app::Go>::go",
        "<[app::M] as app::Go>::go",
        "<app[1]::top::{closure#0} as app[2]::Go>::go",
        "app::tokens::{closure#0}",
        "new",
        "go<app::M>",
        "<",
        "",
    ] {
        check(function, None);
    }
}

#[test]
fn the_crate_of_a_method_is_its_types_or_else_its_traits() {
    check("<[u8] as app::Go>::go::h5d7b602c8ef7dbd8", "go", "app");
    check("<[u8] as app[1]::Go>::go", "go", "app");
    check("<&str as app[1]::Go>::go", "go", "app");
    check("<(X,u8) as app::Go>::go", "go", "app");
    check("<&mut app[1]::M as core[2]::fmt::Display>::fmt", "fmt", "app");
    check("<[app[1]::M] as core[2]::fmt::Debug>::fmt", "fmt", "app");
    check("<dyn app[1]::Go as core[2]::fmt::Debug>::fmt", "fmt", "app");
    check("<[&str]>::sort_by::<app[1]::top::{closure#9}>", "sort_by", "");
    check("<core[1]::option::Option<app[2]::M>>::unwrap", "unwrap", "core");
    check("<alloc[1]::vec::Vec<u8> as app[2]::Go>::go", "go", "alloc");
}

#[test]
fn a_closure_is_named_after_its_function() {
    check_closure("app::tokens::{{closure}}::h326cb3984a9a57c4", "tokens", "app");
    check_closure("app::tokens::{{closure}}", "tokens", "app");
    check_closure("app[7272149bd8684777]::tokens::{closure#0}", "tokens", "app");
    check_closure("app::tokens::{closure_env#0}", "tokens", "app");
    check_closure("app[1]::tokens::{closure#1}::{closure#0}", "tokens", "app");
    check_closure("app::tokens::{{closure}}::{{closure}}::h0a7b9ca9f481144e", "tokens", "app");
    check_closure("app[1]::parse::<&str>::{closure#0}", "parse", "app");
    check_closure("<app[1]::M>::inh::<u8>::{closure#0}", "inh", "app");
    check_closure("<app[1]::M as app[1]::Go>::go::{closure#0}::<u8>", "go", "app");
    check_closure("app::f::{async_block#0}", "f", "app");
    check_closure("app::f::{async_fn_env#0}", "f", "app");
    check_closure("app::f::{async_closure#0}", "f", "app");
    check_closure("app::f::{async_fn#0}::{async_block_env#1}", "f", "app");
    check_closure("app::f::{coroutine_env#0}", "f", "app");
    check_closure("app::TL::{{constant}}::{{closure}}::h18db1ce7e7dfba6c", "TL", "app");
    check_closure("app[1]::TL::{K#0}::{closure#1}", "TL", "app");
}

#[test]
fn an_inlined_closure_may_have_lost_its_function() {
    check_closure("{closure#0}", "", "");
    check_closure("{async_fn#0}", "", "");
    check_closure("{async_block#12}", "", "");
    check_closure("{closure#0}<&str, app::top::{closure_env#9}>", "", "");
    check_closure("{{closure}}", "", "");
}

#[test]
fn what_is_in_brackets_names_nothing() {
    check(
        "core[667c7a611d73a360]::iter::adapters::map::map_fold::<&usize, usize, \
         app[1]::closures::{closure#0}, \
         <usize as core[667c7a611d73a360]::iter::Sum>::sum<app[1]::closures::{closure#0}>>",
        "map_fold",
        "core",
    );
    check("takes<app::top::{closure_env#2}>", "takes", "");
    check("app[1]::arrows::<fn(&str) -> app[1]::M, u8>::within", "within", "app");
    check("<fn(&str) .> usize as app::Go>::go::h145c6145f432cee8", "go", "app");
    check("<for<'a> fn(&'a str) -> usize as app[1]::Go>::go", "go", "app");
    check(
        "<alloc[1]::boxed::Box<dyn for<'a> core[2]::ops::function::Fn<(&'a str,), \
         Output = usize>> as app[3]::Go>::go",
        "go",
        "alloc",
    );
    check(
        "<alloc::boxed::Box<dyn core::ops::function::Fn<(&str,)>+Output = usize> as app::Go>::go\
         ::h5d7b602c8ef7dbd8",
        "go",
        "alloc",
    );
    check("app[1]::chars::<'<', '\\'', '\\u{7f}', 'é'>::within", "within", "app");
    check("app[1]::text::<\"::<\">", "text", "app");
}

#[test]
fn shims_are_named_after_what_they_lead_to() {
    check(
        "core::ops::function::FnOnce::call_once{{vtable.shim}}::h11bb5b1f3fbd93f2",
        "call_once",
        "core",
    );
    check(
        "<app[1]::top::{closure#0} as core[2]::ops::function::FnOnce<()>>::call_once\
         ::{shim:vtable#0}",
        "call_once",
        "app",
    );
    check("core::ptr::drop_in_place<app::Holder>::h452ca3402c49d452", "drop_in_place", "core");
    check("core[2]::ptr::drop_glue::<alloc[1]::vec::Vec<app[3]::M>>", "drop_glue", "core");
    check("drop_glue<[app::M]>", "drop_glue", "");
}

#[test]
fn names_of_other_languages_stay() {
    check("qsort_r", "qsort_r", "");
    check("__libc_start_main_impl", "__libc_start_main_impl", "");
    check("work.constprop.0", "work", "");
    check("_ZNSt6vectorIiSaIiEE9push_backERKi", "_ZNSt6vectorIiSaIiEE9push_backERKi", "");
    check("_RNvC3app4main", "_RNvC3app4main", "");
    check("std::vector<int, std::allocator<int> >::push_back(int const&)", "push_back", "std");
    check("h5d7b602c8ef7dbd8", "h5d7b602c8ef7dbd8", "");
}

#[test]
fn what_is_no_path_is_its_own_name() {
    for odd in ["", "::", "<", ">", "<>", "{", "}", "{}", "[", "'", "'\\", "<'\\é", "->", ".>", "?"]
    {
        let _ = readable(odd);
        assert_eq!(short_name(odd).name, odd);
    }
    check("<app::M>", "<app::M>", "app");
    check("été::naïve::h5d7b602c8ef7dbd8", "naïve", "été");
}

#[test]
fn any_part_of_a_name_can_be_read() {
    let name = "<app[1f]::G<'<', fn(&'a str) -> [u8; 3]> as lib::Go<{closure#0}>>::gö::{{closure}}\
         ::h5d7b602c8ef7dbd8";
    let bounds: Vec<usize> = name.char_indices().map(|(at, _)| at).chain([name.len()]).collect();
    for &start in &bounds {
        for &end in bounds.iter().filter(|&&end| end >= start) {
            let part = &name[start..end];
            let _ = (short_name(part), readable(part), implementor(part));
        }
    }
}

#[cfg(feature = "dhat-compat")]
#[test]
fn numbers_in_a_path_have_no_type() {
    let check = |function, expected| assert_eq!(super::without_numbers(function), expected);
    check("<alloc[1]::boxed::Box<[u8; 48usize]>>::new", "<alloc::boxed::Box<[u8; 48]>>::new");
    check("app[1]::arrays::<3usize, -1i8, 200u8>", "app::arrays::<3, -1, 200>");
    check("app::u8::x3usize::a1u8::_2u8::9u8s::4u80", "app::u8::x3usize::a1u8::_2u8::9u8s::4u80");
    check("7u64", "7");
    check("7", "7");
    check("", "");
}

#[test]
fn a_readable_name_is_the_path_without_numbers() {
    for (function, expected) in [
        ("app::parse::hdb133ee911432cea", "app::parse"),
        (
            "app[7272149bd8684777]::parse::<&alloc[8]::string::String>",
            "app::parse::<&alloc::string::String>",
        ),
        ("<app[1]::M as app[1]::Go>::go", "<app::M as app::Go>::go"),
        ("app[1]::tokens::{closure#3}", "app::tokens::{closure}"),
        ("app::tokens::{{closure}}::h326cb3984a9a57c4", "app::tokens::{closure}"),
        ("{async_fn#0}", "{closure}"),
        (
            "<fn(&str) .> usize as app::Go>::go::h145c6145f432cee8",
            "<fn(&str) -> usize as app::Go>::go",
        ),
        ("<[u8; 3] as app::Go>::go", "<[u8; 3] as app::Go>::go"),
        ("<[u8] as app[1]::Go>::go", "<[u8] as app::Go>::go"),
        ("app::{impl#0}::go", "app::{impl#0}::go"),
        ("work.constprop.0", "work.constprop.0"),
        ("{", "{"),
    ] {
        assert_eq!(readable(function), expected);
    }
}
