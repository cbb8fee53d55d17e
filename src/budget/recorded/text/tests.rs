//! Cold: tests of `text`.

use super::{section, with_section, without_sites, Owner, Section, SectionName};

const DEBUG: SectionName = SectionName { profile: "debug", number: 1 };
const DEBUG_2: SectionName = SectionName { profile: "debug", number: 2 };
const RELEASE: SectionName = SectionName { profile: "release", number: 1 };

const TEXT: &str = "\
# What a test allocates, recorded by mod-alloc. The test fails where this differs. If it should,
# accept the difference: run the test with MOD_ALLOC_UPDATE=1.
name: tests::parses
package: parser

[debug]
1,214 allocations at 2 sites
1,200  src/parser.rs tokens < tests/header.rs parses
   14  tests/header.rs parses

[release]
3 allocations, call sites unknown
";

fn owner() -> Owner {
    Owner { name: "tests::parses".to_owned(), package: Some("parser".to_owned()) }
}

fn read(text: &str, name: SectionName) -> Result<Option<Section>, (usize, String)> {
    section(text, &owner(), name).map_err(|fault| (fault.line, fault.what))
}

fn expect_fault(text: &str, line: usize, words: &str) {
    let (at, what) = read(text, DEBUG).expect_err(text);
    assert_eq!(at, line, "{what}");
    assert!(what.contains(words), "{what}");
    let written = with_section(Some(text), &owner(), RELEASE, "1 allocation at 1 site\n");
    if words != "a number is expected" && words != "together" {
        assert_eq!(written.expect_err("it is not written").line, line);
    }
}

#[test]
fn a_section_is_read_back() {
    let sites = vec![
        ("src/parser.rs tokens < tests/header.rs parses".to_owned(), 1_200),
        ("tests/header.rs parses".to_owned(), 14),
    ];
    let debug = Section { allocations: 1_214, sites: Some(sites) };
    let crlf = TEXT.replace('\n', "\r\n");
    for text in [TEXT, &crlf, TEXT.trim_end(), &TEXT.replace("  ", " \t")] {
        assert_eq!(read(text, DEBUG).expect("it is well formed").as_ref(), Some(&debug));
        let release = Section { allocations: 3, sites: None };
        assert_eq!(read(text, RELEASE), Ok(Some(release)));
        assert_eq!(read(text, DEBUG_2), Ok(None));
    }
}

fn write(text: Option<&str>, name: SectionName, body: &str) -> String {
    with_section(text, &owner(), name, body).expect("well formed")
}

#[test]
fn a_section_is_written_and_nothing_else_changes() {
    let debug = "1,214 allocations at 2 sites\n\
                 1,200  src/parser.rs tokens < tests/header.rs parses\n   \
                 14  tests/header.rs parses\n";
    let first = write(None, DEBUG, debug);
    assert_eq!(write(Some(&first), RELEASE, &without_sites(3)), TEXT);
    let release_first = write(None, RELEASE, &without_sites(3));
    assert_eq!(write(Some(&release_first), DEBUG, debug), TEXT, "they have an order");

    let other = write(Some(TEXT), DEBUG, &without_sites(1));
    let (start, end) = (TEXT.find("1,214").expect("there"), TEXT.find("\n[rel").expect("there"));
    assert_eq!(other, format!("{}{}{}", &TEXT[..start], without_sites(1), &TEXT[end..]));
    assert_eq!(write(Some(&other), DEBUG, debug), TEXT);
    let second = write(Some(TEXT), DEBUG_2, &without_sites(0));
    let expected = TEXT.replace("[rel", "[debug 2]\n0 allocations, call sites unknown\n\n[rel");
    assert_eq!(second, expected);
    assert_eq!(write(Some(&second), DEBUG_2, &without_sites(0)), second);

    // A checkout with other ends of lines keeps them.
    let crlf = TEXT.replace('\n', "\r\n");
    assert_eq!(write(Some(&crlf), DEBUG, debug), crlf);
    assert_eq!(write(Some(&crlf), DEBUG_2, &without_sites(0)), second.replace('\n', "\r\n"));
    // What stands in the other section is nobody's business, whatever it is.
    let odd = TEXT.replace("3 allocations, call sites unknown", "  three\t \n\n  ");
    let new = write(Some(&odd), DEBUG, &without_sites(1));
    assert_eq!(new, odd.replace(debug, &without_sites(1)));
}

#[test]
fn what_is_damaged_is_an_error_with_its_line() {
    expect_fault(&TEXT.replace("1,200", "12oo"), 8, "a number is expected");
    expect_fault(&TEXT.replace("1,214", "many"), 7, "a number is expected");
    expect_fault(&TEXT.replace("1,214", "1,215"), 7, "together");
    expect_fault(&TEXT.replace("[release]", "[relaese]"), 11, "is no section");
    expect_fault(&TEXT.replace("[release]", "[debug]"), 11, "there twice, first in line 6");
    expect_fault(&TEXT.replace("[debug]", "[debug 1]"), 6, "is no section");
    expect_fault(&TEXT.replace("name: tests::parses\n", ""), 1, "is missing");
    expect_fault("", 1, "is missing");
    expect_fault(&TEXT.replace("tests::parses", "tests::Parses"), 3, "it is of the name");
    expect_fault(&TEXT.replace("package: parser", "package: lexer"), 4, "it is of the package");
    expect_fault(&TEXT.replace("package: parser", "packages: parser"), 4, "is neither a name");
    let conflict = TEXT.replace(
        "   14  tests",
        "<<<<<<< HEAD\n   14  a.rs a\n=======\n   14  b.rs b\n>>>>>>> other\n   14  tests",
    );
    expect_fault(&conflict, 9, "a merge conflict");
    let no_head = TEXT.replace("1,214 allocations at 2 sites\n", "");
    expect_fault(&no_head, 7, "a number is expected");
    let empty = format!("{}[debug]\n", &TEXT[..TEXT.find("[debug]").expect("there")]);
    assert_eq!(read(&empty, DEBUG).expect_err("nothing is in it"), (6, "[debug] is empty".into()));
}

#[test]
fn a_name_is_one_line_and_a_package_may_be_unknown() {
    let owner = |name: &str, package: Option<&str>| Owner {
        name: name.to_owned(),
        package: package.map(str::to_owned),
    };
    let odd = owner("a\nb \u{e9}", None);
    let text = with_section(None, &odd, DEBUG, &without_sites(1)).expect("written");
    assert!(text.contains("\nname: a\\nb \u{e9}\n\n[debug]\n"), "{text}");
    assert!(section(&text, &odd, DEBUG).expect("readable").is_some());
    assert!(section(&text, &owner("a\nb \u{e9}", Some("p")), DEBUG).expect("readable").is_some());
    assert!(section(TEXT, &owner("tests::parses", None), DEBUG).expect("readable").is_some());
}
