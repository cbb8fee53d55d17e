//! Cold: tests of `code`.

use super::{names, Build, Owner};

fn build(root: &str) -> Build {
    Build { root: root.to_owned() }
}

fn owner_of(
    build: &Build,
    function: Option<&str>,
    krate: Option<&str>,
    file: Option<&str>,
) -> Owner {
    Build::owner(function, krate, file.map(|file| build.file_owner(file)))
}

#[test]
fn the_root_is_what_remains_of_a_path_that_ends_with_the_location() {
    let find = |location: &str, files: &[&str]| {
        Build::find(location, files, &["/fallback".to_owned()]).root
    };
    let std = "/rustc/59807616/library/core/src/ops/function.rs";
    assert_eq!(find("tests/a.rs", &[std, "/users/u/p/tests/a.rs"]), "/users/u/p");
    assert_eq!(find("tests/a.rs", &["/x/p/tests/a.rs", "/y/p/tests/a.rs"]), "/x/p");
    assert_eq!(find("a.rs", &["/users/u/p/tests/data.rs"]), "/fallback", "not a whole name");
    assert_eq!(find("tests/../a.rs", &["/p/tests/../a.rs"]), "/p");
    assert_eq!(find("tests/a.rs", &["tests/a.rs"]), "", "the paths were rewritten");
    assert_eq!(find("tests/a.rs", &[std]), "/fallback");
    assert_eq!(find("src/a.rs", &["/src/a.rs"]), "/");
}

#[test]
fn a_file_of_the_same_name_in_another_package_is_not_taken_for_the_users() {
    let find = |location: &str, files: &[&str], fallback: &str| {
        Build::find(location, files, &[fallback.to_owned()]).root
    };
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src/process.rs");
    assert_eq!(find("src/process.rs", &[own, "/p/src/process.rs"], "/x"), "/p");
    let wrapper = "/registry/src/index-1/wrapper-1.0.0/src/lib.rs";
    let files = [wrapper, "/w/p/src/lib.rs"];
    assert_eq!(find("p/src/lib.rs", &files, "/w/p"), "/w");
    assert_eq!(find("src/lib.rs", &files, "/w/p"), "/w/p");
}

#[test]
fn an_absolute_location_takes_the_folder_that_it_lies_in() {
    let fallbacks = ["/elsewhere".to_owned(), "/users/u/p".to_owned()];
    let find = |location| Build::find(location, &[location], &fallbacks).root;
    assert_eq!(find("/users/u/p/src/a.rs"), "/users/u/p");
    assert_eq!(find("/gen/a.rs"), "/gen");
}

#[test]
fn the_user_is_told_by_the_file() {
    let check = |file, expected| {
        let owner = owner_of(&build("/users/u/p"), Some("f"), None, Some(file));
        assert_eq!(owner, expected, "{file}");
    };
    check("/users/u/p/src/a.rs", Owner::User);
    check("/users/u/p/member/tests/a.rs", Owner::User);
    check("/users/u/p/./src/x/../a.rs", Owner::User);
    check("/users/u/p/src/vendor/mod.rs", Owner::User);
    check("/users/u/p/member/src/vendor/words/mod.rs", Owner::User);
    check("/users/u/p/tests/vendor/mod.rs", Owner::User);
    check("/users/u/p/vendor/mod.rs", Owner::User);
    check("/users/u/p/vendor/x/src/a.rs", Owner::Dependency);
    check("/users/u/p/vendor/x/a.rs", Owner::Dependency);
    check("/users/u/p/examples/vendor/x/src/a.rs", Owner::Dependency);
    check("/users/u/p/.cargo/registry/src/index-1/x-1.0.0/src/a.rs", Owner::Dependency);
    check("/users/u/p/.cargo/git/checkouts/x-1/2/src/a.rs", Owner::Dependency);
    check("/users/u/p/target/debug/build/p-0a1b2c3d/out/a.rs", Owner::Dependency);
    check("/users/u/p/target/debug/build/p/0a1b2c3d4e5f6071/out/a.rs", Owner::Dependency);
    check("/users/u/p/build/p/stage/out/a.rs", Owner::User);
    check("/users/u/.cargo/registry/src/index-1/x-1.0.0/src/a.rs", Owner::Dependency);
    check("/rustc/59807616/library/alloc/src/vec/mod.rs", Owner::Std);
    check("/usr/src/rustc-1.78.0/library/alloc/src/vec/mod.rs", Owner::Std);
    check("/users/u/.rustup/toolchains/x/lib/rustlib/src/rust/library/a.rs", Owner::Std);
    check(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs"), Owner::Library);
    check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/a.rs"), Owner::Dependency);
}

#[test]
fn a_package_beside_the_root_is_the_users() {
    let check = |root, file, expected: Option<&str>| {
        let build = build(root);
        let is_user = owner_of(&build, Some("f"), None, Some(file)) == Owner::User;
        assert_eq!(is_user.then(|| build.relative(file)).as_deref(), expected, "{file}");
    };
    check("/users/u/p", "/users/u/p2/src/a.rs", Some("../p2/src/a.rs"));
    check("/users/u/shop/app", "/users/u/shop/core/src/a.rs", Some("../core/src/a.rs"));
    check("/users/u/shop/app", "/users/u/libs/core/src/a.rs", Some("../../libs/core/src/a.rs"));
    check("/srv/vendor/p", "/srv/vendor/core/src/a.rs", Some("../core/src/a.rs"));
    check("/users/u/p", "/users/u/vendor/x/src/a.rs", None);
    check("/users/u/p", "/users/u/.cargo/registry/src/i/x-1.0.0/src/a.rs", None);
    check("/users/u/p", "/users/u/.cargo/git/checkouts/x-1/2/src/a.rs", None);
    check("/users/u/p", "/users/u/cache/x-1.0.0/src/a.rs", None);
    check("/users/u/p", "/users/u/rust/library/alloc/src/vec/mod.rs", None);
    check("/users/u/p", "/users/u/lib/a.c", None);
    check("/p", "/usr/src/x/a.rs", None);
    check("/a/b/c/d/e", "/a/x/src/a.rs", None);
}

#[test]
fn folders_above_the_root_say_nothing() {
    let owner = owner_of(&build("/srv/vendor/p"), Some("f"), None, Some("/srv/vendor/p/src/a.rs"));
    assert_eq!(owner, Owner::User);
    let build = build("/");
    assert_eq!(owner_of(&build, Some("f"), None, Some("/src/a.rs")), Owner::User);
    assert_eq!(build.relative("/src/a.rs"), "src/a.rs");
}

#[test]
fn rewritten_paths_are_the_users_where_they_are_relative() {
    let check = |file, expected| {
        assert_eq!(owner_of(&build(""), Some("f"), None, Some(file)), expected, "{file}");
    };
    check("tests/a.rs", Owner::User);
    check("./tests/a.rs", Owner::User);
    check("vendor/x/src/a.rs", Owner::Dependency);
    check("./misc/../sysdeps/unix/sysv/linux/x86_64/clone3.S", Owner::Dependency);
    check("/cargo/registry/src/x-1/src/a.rs", Owner::Dependency);
    check("index.crates.io-1949cf8c6b5b557f/x-1.0.0/src/a.rs", Owner::Dependency);
    check("registry/x-1.0.0/src/a.rs", Owner::Dependency);
    let dot = Build::find("tests/a.rs", &["./tests/a.rs"], &[]);
    assert_eq!(dot, build("."));
    let check = |file, expected| {
        assert_eq!(owner_of(&dot, Some("f"), None, Some(file)), expected, "{file}");
    };
    check("./tests/a.rs", Owner::User);
    check("./x-1.0.0/src/a.rs", Owner::Dependency);
    check("words-0a1b2c3d4e5f6071/36adb5e/src/a.rs", Owner::Dependency);
    assert_eq!(dot.relative("./tests/a.rs"), "tests/a.rs");
}

#[test]
fn what_the_compiler_makes_for_the_users_code_is_not_the_users() {
    let check = |function, expected| {
        let owner =
            owner_of(&build("/p"), Some(function), names::crate_of(function), Some("/p/src/a.rs"));
        assert_eq!(owner, expected, "{function}");
    };
    check("core::ptr::drop_in_place<p::M>", Owner::Std);
    check("core::ops::function::FnOnce::call_once{{vtable.shim}}", Owner::Std);
    check("<p::M as core::ops::drop::Drop>::drop", Owner::User);
    check("<alloc::vec::Vec<u8> as p::T>::go", Owner::User);
    check("mod_alloc_user::check", Owner::User);
}

#[test]
fn a_users_crate_may_have_the_name_of_another() {
    let check = |root: &str, function, file, expected| {
        let owner = owner_of(&build(root), Some(function), names::crate_of(function), Some(file));
        assert_eq!(owner, expected, "{function}");
    };
    check("/p", "alloc::parse", "/p/tests/alloc.rs", Owner::User);
    check("/p", "core::tests::parse", "/p/tests/core.rs", Owner::User);
    check("/p", "std::parse::{{closure}}", "/p/tests/std.rs", Owner::User);
    check("/p", "mod_alloc::parse", "/p/tests/mod_alloc.rs", Owner::User);
    check("/p", "alloc::vec::push", "/rustc/5/library/alloc/src/vec/mod.rs", Owner::Std);
    check("/", "alloc::vec::push", "/rustc/5/library/alloc/src/vec/mod.rs", Owner::Std);
    check("/p", "mod_alloc::parse", "/p/vendor/mod-alloc/src/a.rs", Owner::Library);
    check("", "mod_alloc::budget::check", "src/budget/mod.rs", Owner::Library);
}

#[test]
fn without_a_file_only_the_name_speaks() {
    let check = |function, expected| {
        assert_eq!(
            owner_of(&build("/p"), function, function.and_then(names::crate_of), None),
            expected,
            "{function:?}"
        );
    };
    check(Some("alloc::vec::from_elem"), Owner::Std);
    check(Some("<mod_alloc::ModAlloc as core::alloc::GlobalAlloc>::alloc"), Owner::Library);
    check(Some("main"), Owner::Unknown);
    check(None, Owner::Unknown);
}
