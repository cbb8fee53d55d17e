//! What hot code may not do, and how the check knows.
//!
//! The check reads text rather than ask clippy, whose lints know types: the text is that of every
//! target and feature at once, one list of words is shorter than attributes in each file, and a
//! test can plant faults in it. So it errs on the side of finding too much: what looks like a
//! panic and is none says why in a comment of its own, `// No panic: reason`, at the end of the
//! line or above the statement.
//!
//! Not found: sums that overflow where debug assertions check them, and what is called in another
//! crate; what a `const` or a `static` is made of runs in the compiler, and is left out.

use crate::source::{attribute, group_end, Kind, Source, Token};

/// Types that allocate, lock, or check at run time who borrows.
const TYPES: &str = "Arc BTreeMap BTreeSet Barrier BinaryHeap Box CString Condvar HashMap HashSet \
    LazyCell LazyLock Mutex Once OnceCell OnceLock OsString PathBuf Rc RefCell ReentrantLock \
    RwLock String Vec VecDeque";

/// Macros that allocate, format or panic.
const MACROS: &str = "assert assert_eq assert_ne dbg debug_assert debug_assert_eq debug_assert_ne \
    eprint eprintln format format_args panic print println todo unimplemented unreachable vec \
    write writeln";

/// Methods that allocate.
const ALLOCATING: &str =
    "collect into_boxed_slice into_owned into_string into_vec repeat to_owned \
    to_string to_vec";

/// Methods that panic for some values.
const PANICKING: &str = "expect expect_err unwrap unwrap_err";

fn is_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// Each fault of a hot file with its line.
pub(crate) fn faults(source: &Source) -> Vec<(usize, String)> {
    let tokens = &source.tokens;
    let mut faults = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let Some((_, end, _)) = attribute(tokens, at) {
            at = end;
            continue;
        }
        if let Some((value, end)) = constant(tokens, at) {
            // The type counts, the value does not.
            faults.extend(tokens[at..value].iter().filter_map(forbidden_type));
            at = end;
            continue;
        }
        faults.extend(forbidden_type(&tokens[at]));
        let found = forbidden(tokens, at).or_else(|| {
            let found = panicking(tokens, at)?;
            (!has_reason(source, at)).then_some(found)
        });
        faults.extend(found.map(|found| (tokens[at].line, found)));
        at += 1;
    }
    faults
}

/// Where the value of a `const` or `static` with a name begins, and where it ends.
fn constant(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    let is_constant = tokens[at].is("const") || tokens[at].is("static");
    let name = at + 1 + usize::from(tokens.get(at + 1)?.is("mut"));
    // Before the parameter of a type, which is a `const`, too, stands no end of anything.
    let is_item = at == 0 || is_any(&tokens[at - 1], "; { } ] ) pub");
    if !is_constant || !is_item || !tokens.get(name)?.is_word() || !tokens.get(name + 1)?.is(":") {
        return None;
    }
    let mut value = None;
    let mut end = name;
    while !tokens.get(end)?.is(";") {
        if tokens[end].is("=") && value.is_none() {
            value = Some(end);
        }
        end = if is_any(&tokens[end], "( [ {") { group_end(tokens, end) } else { end + 1 };
    }
    Some((value?, end))
}

/// Whether a token is one of these signs and words.
fn is_any(token: &Token, list: &str) -> bool {
    list.split(' ').any(|sign| token.is(sign))
}

fn forbidden_type(token: &Token) -> Option<(usize, String)> {
    let is_forbidden = token.is_word() && is_in(TYPES, &token.text);
    is_forbidden.then(|| (token.line, token.text.clone()))
}

/// What allocates, locks or formats: there is no excuse for it.
fn forbidden(tokens: &[Token], at: usize) -> Option<String> {
    let name = &tokens[at].text;
    if tokens[at].kind == Kind::Word && tokens.get(at + 1)?.is("!") {
        let is_compared = tokens.get(at + 2)?.is("=");
        if name == "thread_local" {
            let group = &tokens[at..group_end(tokens, at + 2)];
            let has = |word| tokens.iter().any(|token| token.is(word));
            let statics = group.iter().filter(|token| token.is("static")).count();
            let begins_const = |pair: &&[Token]| pair[0].is("const") && pair[1].is("{");
            let is_plain = group.windows(2).filter(begins_const).count() == statics;
            return (!is_plain || !has("needs_drop")).then(|| {
                "thread_local! that is not `const {` or not checked by `needs_drop`".into()
            });
        }
        let is_forbidden = is_in(MACROS, name);
        return (is_forbidden && !is_compared).then(|| format!("{name}!"));
    }
    is_method(tokens, at, ALLOCATING).then(|| format!(".{name}()"))
}

/// What may panic, unless a comment says why it does not.
fn panicking(tokens: &[Token], at: usize) -> Option<String> {
    is_method(tokens, at, PANICKING).then(|| format!(".{}()", tokens[at].text))
}

fn is_method(tokens: &[Token], at: usize, names: &str) -> bool {
    let called = |token: &Token| token.is("(") || token.is("::");
    let is_called = tokens.get(at + 1).is_some_and(called);
    let is_named = tokens[at].is_word() && is_in(names, &tokens[at].text);
    is_named && is_called && at > 0 && (tokens[at - 1].is(".") || tokens[at - 1].is("::"))
}

/// Whether a comment gives a reason: on the line, or right above the line or the statement.
fn has_reason(source: &Source, at: usize) -> bool {
    let line = source.tokens[at].line;
    let before = source.tokens[..at].iter().rev();
    // Back to the end of what stands before the statement.
    let statement =
        before.take_while(|token| !is_any(token, "; { }")).last().map_or(line, |token| token.line);
    let lines_before = source.reasons.range(..=line).next_back();
    lines_before.is_some_and(|&reason| {
        let has_code_between = source.tokens[..at]
            .iter()
            .rev()
            .take_while(|token| token.line > reason)
            .any(|token| token.line < statement);
        reason == line || (reason >= statement) || !has_code_between
    })
}
