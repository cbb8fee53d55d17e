//! What the compiler says to wrong uses of the macros.

/// Errors in our own words: the same with every compiler.
#[test]
fn errors_in_our_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/ours/*.rs");
}

#[test]
fn every_error_names_its_remedy() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/ours");
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let text = std::fs::read_to_string(&path).expect("text");
            for error in text.split("error: ").skip(1) {
                assert!(error.contains("help: "), "{}: {error}", path.display());
            }
        }
    }
}

/// Errors in the compiler's words, on the user's code. They differ from one compiler to the next,
/// so the texts are those of the stable toolchain that `.ci/run` uses.
#[test]
#[ignore = "the words of one toolchain: `.ci/run` runs it where that one is the default"]
fn errors_in_the_compilers_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/rustc/*.rs");
}
