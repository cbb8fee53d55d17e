//! What the compiler says to wrong uses of the macros.

/// Errors in our own words: the same with every compiler.
#[test]
fn errors_in_our_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/ours/*.rs");
}

/// Errors in the compiler's words, on the user's code. They differ from one compiler to the next,
/// so the texts are those of the stable toolchain that `.ci/run` uses.
#[test]
#[ignore = "the words of one toolchain: `.ci/run` runs it where that one is the default"]
fn errors_in_the_compilers_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/rustc/*.rs");
}
