//! What hot code may not do, and how the check knows.
//!
//! The check reads text. Clippy's lints know types, but the text is that of every target and
//! feature at once, one list of words is shorter than attributes in each file, and a test can plant
//! faults in it. The check finds too much rather than too little. A line that looks as if it might
//! panic, and does not, says why in a comment above it, `// No panic: reason`.
//!
//! What a `const` or a `static` is made of runs in the compiler, and is left out, but for closures.
//! The check does not find numbers that overflow where debug assertions check them, nor panics
//! within what is called.

use crate::imports::Imports;
use crate::source::{attribute, group_end, Kind, Source, Token};

/// Types that allocate, lock, or check at run time who borrows.
const TYPES: &str = "Arc BTreeMap BTreeSet Barrier BinaryHeap Box CString Condvar HashMap HashSet \
    LazyCell LazyLock Mutex Once OnceCell OnceLock OsString PathBuf Rc RefCell ReentrantLock \
    RwLock String Vec VecDeque";

/// The parts of the standard library that hot code may use.
const STD: &str = "alloc arch array cell cmp ffi fmt hint iter marker mem num ops \
    panic::Location process::abort ptr slice str sync::atomic time";

/// Macros that allocate, format or panic.
const MACROS: &str = "assert assert_eq assert_ne dbg debug_assert debug_assert_eq debug_assert_ne \
    eprint eprintln format format_args panic print println todo unimplemented unreachable vec \
    write writeln";

/// Methods that allocate.
const ALLOCATING: &str = "collect concat into_boxed_slice into_owned into_string into_vec \
    repeat sort sort_by sort_by_cached_key sort_by_key spawn to_owned to_string to_string_lossy \
    to_vec";

/// Methods that panic for some values.
const PANICKING: &str = "chunks chunks_exact clamp clone_from_slice copy_from_slice copy_within \
    div_ceil div_euclid expect expect_err ilog ilog10 ilog2 next_multiple_of panic_any rem_euclid \
    resume_unwind split_at split_at_mut step_by unwrap unwrap_err windows";

/// The orderings of atomic values, whose `swap` does not panic.
const ORDERINGS: &str = "AcqRel Acquire Relaxed Release SeqCst";

/// Words after which a bracket begins a value, a pattern or a type, and no index.
const KEYWORDS: &str = "as break const dyn else if impl in let match move mut ref return static \
    where";

fn is_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// What hot files import of cold ones.
pub(crate) fn cold_imports(imports: &Imports, is_hot: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (file, imported) in imports.iter().filter(|(file, _)| is_hot(file)) {
        for (other, names) in imported.iter().filter(|(other, _)| !is_hot(other)) {
            faults.push(format!("{file} is hot and imports {names:?} of {other}"));
        }
    }
    faults
}

/// Each fault of a hot file with its line.
pub(crate) fn faults(source: &Source) -> Vec<(usize, String)> {
    let tokens = &source.tokens;
    let mut faults = Vec::new();
    let mut idle_reasons = source.reasons.clone();
    let mut at = 0;
    while at < tokens.len() {
        if let Some((_, end, _)) = attribute(tokens, at) {
            at = end;
            continue;
        }
        if let Some((value, end)) = constant(tokens, at) {
            // The type of a constant is checked, and its value is not.
            faults.extend(tokens[at..value].iter().filter_map(forbidden_type));
            at = end;
            continue;
        }
        faults.extend(forbidden_type(&tokens[at]));
        let line = tokens[at].line;
        faults.extend(forbidden(tokens, at).map(|found| (line, found)));
        if let Some(found) = panicking(tokens, at) {
            idle_reasons.remove(&line);
            if !source.reasons.contains(&line) {
                faults.push((line, found));
            }
        }
        at += 1;
    }
    let idle = idle_reasons.into_iter();
    faults.extend(idle.map(|line| (line, "a reason, and nothing that may panic".to_owned())));
    faults
}

/// Where the value of a `const` or `static` with a name begins, and where it ends. `None` if the
/// value has a closure, which runs later.
fn constant(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    let is_constant = tokens[at].is("const") || tokens[at].is("static");
    let name = at + 1 + usize::from(tokens.get(at + 1)?.is("mut"));
    // The parameter of a type may be a `const`, too, but before it nothing ends.
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
    let begins_closure = |pair: &[Token]| is_any(&pair[0], "= ( [ { , move") && pair[1].is("|");
    let value = value?;
    (!tokens[value..end].windows(2).any(begins_closure)).then_some((value, end))
}

/// Whether a token is one of these signs and words.
fn is_any(token: &Token, list: &str) -> bool {
    list.split(' ').any(|sign| token.is(sign))
}

fn forbidden_type(token: &Token) -> Option<(usize, String)> {
    let is_forbidden = token.is_word() && is_in(TYPES, &token.text);
    is_forbidden.then(|| (token.line, token.text.clone()))
}

/// What allocates, locks or formats, or is a part of the standard library that may. There is no
/// excuse for it.
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
    if tokens[at].is("std") && tokens.get(at + 1)?.is("::") && !tokens.get(at + 3)?.is("!") {
        let part = &tokens[at + 2].text;
        let within = tokens.get(at + 4).map_or("", |token| token.text.as_str());
        let is_known = is_in(STD, part) || is_in(STD, &format!("{part}::{within}"));
        return (!is_known).then(|| format!("std::{part}"));
    }
    is_method(tokens, at, ALLOCATING).then(|| format!(".{name}()"))
}

/// What may panic, unless a comment says why it does not.
fn panicking(tokens: &[Token], at: usize) -> Option<String> {
    let token = &tokens[at];
    let name = &token.text;
    if is_method(tokens, at, PANICKING) {
        return Some(format!(".{name}()"));
    }
    if is_method(tokens, at, "swap") && tokens[at - 1].is(".") {
        let arguments = &tokens[at + 1..group_end(tokens, at + 1)];
        let is_atomic = arguments.iter().any(|token| is_in(ORDERINGS, &token.text));
        let is_of_cell = !arguments.iter().any(|token| token.is(","));
        return (!is_atomic && !is_of_cell).then(|| ".swap(a, b)".to_owned());
    }
    // A slice is rotated by any number, and an integer by a fixed one.
    if is_method(tokens, at, "rotate_left rotate_right") && !is_fixed(tokens.get(at + 2..)?) {
        return Some(format!(".{name}()"));
    }
    if token.is("[") && at > 0 {
        let before = &tokens[at - 1];
        // `pub(crate)` may stand before the type of a field.
        let is_seen = at > 3 && tokens[at - 4].is("pub") && tokens[at - 3].is("(");
        let is_name = before.is_word() && !is_in(KEYWORDS, &before.text);
        let is_value = is_name || is_any(before, ") ] ?");
        return (is_value && !is_seen).then(|| format!("{}[..]", before.text));
    }
    if token.is("/") || token.is("%") {
        let by = &tokens[at + 1..];
        let by = if by.first()?.is("=") { &by[1..] } else { by };
        return (!is_fixed(by)).then(|| format!("{name} by what may be zero"));
    }
    None
}

/// Whether a method or function of such a name is called here, or named by its path.
fn is_method(tokens: &[Token], at: usize, names: &str) -> bool {
    let is_called = tokens.get(at + 1).is_some_and(|token| is_any(token, "( ::"));
    let is_named = tokens[at].is_word() && is_in(names, &tokens[at].text);
    let is_of = |sign| at > 0 && tokens[at - 1].is(sign);
    is_named && (is_of("::") || (is_of(".") && is_called))
}

/// Whether a divisor is a number or a constant: the last name of its path is in capitals, or it is
/// the size of a type.
fn is_fixed(divisor: &[Token]) -> bool {
    if divisor[0].kind == Kind::Literal {
        return divisor[0].text.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    }
    let of_path = |token: &&Token| token.is_word() || token.is("::");
    let path = divisor.iter().take_while(of_path);
    let is_asked = divisor.iter().find(|token| !of_path(token)).is_some_and(|next| next.is("."));
    !is_asked
        && path.filter(|token| token.is_word()).last().is_some_and(|last| {
            let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            last.text.chars().all(is_capital) || is_in("size_of align_of", &last.text)
        })
}
