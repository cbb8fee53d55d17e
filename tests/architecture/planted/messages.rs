//! Messages that a page lacks.

use crate::messages::{errors, missing, sentences};

#[test]
fn a_sentence_is_a_message_wherever_it_is_printed() {
    let source = r#"
        //! The words of a comment.
        #[must_use = "the words of an attribute"]
        fn f() -> &'static str {
            g().expect("the words of an expectation");
            assert!(h, "is `h` here? If {it} is not, then \
                        {} is broken");
            error().help(&format!("the words of an advice"));
            "three words only"
        }
        const WHY: &str = "a reason in a constant\n";
        #[cfg(test)]
        mod tests { const TEXT: &str = "the words of a test"; }
    "#;
    let found: Vec<String> = sentences(source).into_iter().collect();
    assert_eq!(found, ["a reason in a constant", "is `h` here? If {it} is not, then {} is broken"]);
}

#[test]
fn an_error_is_its_first_line() {
    let found = errors("error: unknown key `x`\n\n  help: none\nerror[E0001]: no\nerrors: 2\n");
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["error: unknown key `x`", "error[E0001]: no"]
    );
}

#[test]
fn what_varies_in_a_message_is_not_looked_for() {
    let page =
        "# E0001\n```text\nis `g` here? If\nit is not, N\nunknown key `maxx`\n```\nAn odd `.\n\n\
                a reason in a constant";
    let check = |message: &str, is_there: bool| {
        let found = missing(page, [&message.to_owned()]).is_empty();
        assert_eq!(found, is_there, "{message}");
    };
    check("is `h` here? If it is not, {number}", true);
    check("is `h` there? If it is not, {number}", false);
    check("{file}: a reason in a constant", true);
    check("error: unknown key `y`", true);
    check("error: unknown word `y`", false);
    check("error[E0001]: as some compiler says", true);
    check("error[E0002]: as some compiler says", false);
}
