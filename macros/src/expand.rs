//! Cold: what the macros expand to; called by `lib`.
//!
//! The templates name nothing of the runtime crate but what its module `__private` offers to them.
//! There may be thousands of tests, so an expansion is short, and calls few functions, which are
//! not generic where that is possible. Decisions that the templates share:
//!
//! - `$settings` are a statement of their own: temporaries of the user's expressions are gone
//!   before anything is counted. Of literals the list is a constant.
//! - The body is an arm of `match ()`. There its temporaries end before the scope does, in every
//!   edition, while `return`, `?`, `break`, inference and `#[track_caller]` work as if it stood
//!   alone. A closure, an inner function, and a plain block at the end each break one of these.
//! - Where the body never returns, what follows it is unreachable. `#[allow]` stands on generated
//!   code alone: the user's own is linted as ever. Old compilers heed it on arguments, not on
//!   statements.
//! - Most tests are simpler, and have a shorter expansion: see `procedure`.
//! - Failures panic in generated tokens, so that the panic's location is the attribute or the macro
//!   call.

use proc_macro::{Delimiter, Group, Literal, Spacing, Span, TokenStream, TokenTree};

use crate::args::{Args, Setting};
use crate::block::Block;
use crate::body::Body;
use crate::fragments;
use crate::growth::Growth;
use crate::item::{self, Function};
use crate::keys;
use crate::output_type::{self, is_never, is_unit};
use crate::quote::{path, punct, quote, word};
use crate::tokens::{as_group, group, is_punct, listed};

/// The guard checks the budget when it is dropped, on every way out but a panic.
const COUNTED_FUNCTION: &str = "
    let __settings = &[$settings];
    let __guard = $krate::__private::Guard::of_function(
        __settings, ::core::module_path!(), $name, $returns_nothing, $fail_fn
    );
    $run
";

/// The same of a block.
const COUNTED: &str = "
    let __settings = &[$settings];
    let __guard = $krate::__private::Guard::of_block(__settings, $origin, $fail_fn);
    $run
";

/// The second argument of `value` is evaluated after the body, and is the only code that formats
/// the message.
const COUNTED_WITH_MESSAGE: &str = "
    let __settings = &[$settings];
    let __guard = $krate::__private::Guard::of_block(__settings, $origin, $fail_fn);
    $krate::__private::value(
        match () { () => $body },
        #[allow(unreachable_code)]
        match __guard.finish() {
            ::core::option::Option::None => (),
            ::core::option::Option::Some(__exceeded) => $fail,
        },
    )
";

/// The closer is a local variable of the future. It is dropped when the body ends, and the
/// arguments that the future captured are dropped after it: so their drop is not counted.
const COUNTED_FUTURE: &str = "
    let __settings = &[$settings];
    match $krate::__private::counted_future(__settings, $origin, move |__closer| async move {
        let __closer = __closer;
        $hint
        $run
    }).await {
        (__value, ::core::option::Option::None) => __value,
        (__value, ::core::option::Option::Some(__exceeded)) => {
            $fail;
            __value
        }
    }
";

/// The type `RunsSeveralTimes` makes errors of `return` and `?` in the body, which would end only
/// one run.
const REPEATED: &str = "
    let __settings = &[$settings];
    match $krate::__private::repeat(__settings, $origin, || {
        let __value: $output = $run;
        #[allow(unreachable_code)]
        $krate::__private::RunsSeveralTimes(__value)
    }) {
        (__value, ::core::option::Option::None) => __value,
        (__value, ::core::option::Option::Some(__exceeded)) => {
            $fail;
            __value
        }
    }
";

const REPEATED_FUTURE: &str = "
    let __settings = &[$settings];
    match $krate::__private::repeat_future(__settings, $origin, move |__closer| async move {
        let __closer = __closer;
        let __value: $output = $run;
        #[allow(unreachable_code)]
        $krate::__private::RunsSeveralTimes(__value)
    }).await {
        (__value, ::core::option::Option::None) => __value,
        (__value, ::core::option::Option::Some(__exceeded)) => {
            $fail;
            __value
        }
    }
";

/// The body: see above for the `match`.
const RUN: &str = "match () { () => $body }";

/// The same of a function that may return a future.
const RUN_FUNCTION: &str = "
    $krate::__private::output(match () { () => $body }, #[allow(unreachable_code)] ())
";

/// The same of a block, whose value must not be one that would have to run first.
const RUN_BLOCK: &str = "
    $krate::__private::value(match () { () => $body }, #[allow(unreachable_code)] ())
";

/// A `return` that never runs. It tells the type checker what the body is to return, as the
/// signature did. So `?` finds its error type, a `Box<Concrete>` becomes a `Box<dyn Trait>`, and
/// closures know their parameters.
const HINT: &str = "
    #[allow(unknown_lints, unreachable_code)]
    #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
    if false {
        let __output: $output = loop {};
        return __output;
    }
";

const FAIL: &str = "$krate::__private::fail(__exceeded)";

const FAIL_WITH_MESSAGE: &str =
    "$krate::__private::fail_with(__exceeded, ::core::format_args!($message))";

const GROWTH: &str = "
    match $krate::__private::growth($krate::__private::Growth::new()$calls, $set_up) {
        ::core::option::Option::None => (),
        ::core::option::Option::Some(__outgrown) => $fail,
    }
";

const FAIL_GROWTH: &str = "$krate::__private::fail_growth(__outgrown)";

const FAIL_GROWTH_WITH_MESSAGE: &str =
    "$krate::__private::fail_growth_with(__outgrown, ::core::format_args!($message))";

const ORIGIN: &str = "
    $krate::__private::Origin::function(::core::module_path!(), $name, $returns_nothing)
";

/// What a guard calls when it is dropped. A function, since a closure would be two of them.
const FAIL_FN: &str = "{
    fn __fail(__exceeded: $krate::__private::Exceeded) {
        $krate::__private::fail(__exceeded)
    }
    __fail
}";

/// The item with its body inside the scope of a budget.
pub(crate) fn function(args: &Args, function: &Function, item: Vec<TokenTree>) -> TokenStream {
    let krate = args.krate();
    let (inner_attributes, body) = hoist_inner_attributes(&function.body);
    let span = function.body.group.span();
    if let Some(limits) = limits_of_procedure(args, function) {
        let whole = inner_attributes.iter().cloned().chain(procedure(&limits, function, body));
        return item::with_body(item, group(Delimiter::Brace, whole.collect(), span));
    }
    let name = TokenTree::from(Literal::string(&function.name.to_string()));
    let holes = [
        ("settings", settings(args, &krate)),
        ("name", name.into()),
        ("output", output_type::nameable(function.output.as_deref())),
        ("body", TokenTree::from(body).into()),
        ("krate", krate),
    ];
    let counted = quote(&function_template(args, function), &holes);
    let whole = inner_attributes.iter().cloned().chain(counted);
    item::with_body(item, group(Delimiter::Brace, whole.collect(), span))
}

/// The body of a procedure within its budget. It stands in braces of its own, so its temporaries
/// end before the scope does. In an `if`, since what follows that is reachable for the compiler,
/// even where the body never returns.
///
/// The text is lexed at once, where a template is filled token by token. Its tokens get the span
/// that a template's have, so that the body does not see `__guard`.
fn procedure(limits: &str, function: &Function, body: Group) -> Vec<TokenTree> {
    let name = function.name.to_string();
    let text = format!(
        "let mut __guard = ::mod_alloc::__private::Guard::{limits}, ::core::module_path!(), \
         {name:?}); if true {{}} __guard.end();"
    );
    let mut tokens = listed(text.parse().expect("this is a bug in mod-alloc: it does not lex"));
    for token in &mut tokens {
        token.set_span(Span::mixed_site());
        if as_group(Some(token), Delimiter::Brace).is_some() {
            *token = body.clone().into();
        }
    }
    tokens
}

/// How the guard of a procedure is made, up to its last limit. `None` if the function is no
/// procedure: it runs once, has neither parameters nor a value, is left at its end alone, and its
/// panics are its own, not its caller's. All that is asked for are limits, and they are literals,
/// so that they are constants; and the crate has its own name.
fn limits_of_procedure(args: &Args, function: &Function) -> Option<String> {
    let is_procedure = !function.is_async
        && !function.is_tracked
        && !function.body.may_leave
        && function.params.as_ref().map_or(true, |params| params.stream().is_empty())
        && function.output.as_deref().map_or(true, is_unit)
        && args.krate.is_none()
        && args.settings().len() == args.limits.len();
    if !is_procedure {
        return None;
    }
    if let [only] = &args.limits[..] {
        return Some(format!("of_limit({:?}, {}", only.key.to_string(), only.limit()?));
    }
    let mut limits = String::new();
    for limit in &args.limits {
        limits += &format!("::mod_alloc::__private::Setting::{}({}),", limit.key, limit.limit()?);
    }
    Some(format!("of_limits(&[{limits}]"))
}

/// The template of a function that is no procedure.
fn function_template(args: &Args, function: &Function) -> String {
    let is_repeated = !args.repeats.is_empty();
    let template = match (function.is_async, is_repeated) {
        (false, false) => COUNTED_FUNCTION,
        (true, false) => COUNTED_FUTURE,
        (false, true) => REPEATED,
        (true, true) => REPEATED_FUTURE,
    };
    let output = function.output.as_deref();
    let may_return_future = !function.is_async && output.is_some_and(output_type::may_be_future);
    let parts = [
        ("$origin", ORIGIN),
        ("$returns_nothing", if output.map_or(true, is_unit) { "true" } else { "false" }),
        ("$hint", if output.is_some_and(is_never) { "" } else { HINT }),
        ("$run", if may_return_future { RUN_FUNCTION } else { RUN }),
        ("$fail_fn", FAIL_FN),
        ("$fail", FAIL),
    ];
    with_parts(template, &parts)
}

pub(crate) fn assert_allocs(block: Block) -> TokenStream {
    let settings = settings(&block.args, &block.krate);
    counted_block(block, settings, "$krate::__private::Origin::assert_allocs")
}

pub(crate) fn assert_no_alloc(block: Block) -> TokenStream {
    let holes = [("krate", block.krate.clone())];
    let settings = quote("$krate::__private::Setting::max(0)", &holes);
    counted_block(block, settings, "$krate::__private::Origin::assert_no_alloc")
}

/// `origin` takes a function that is defined in the block: the name of its type contains the name
/// of the function around the block.
fn counted_block(block: Block, settings: TokenStream, origin: &str) -> TokenStream {
    let Block { krate, args, body, message } = block;
    let template = if !args.repeats.is_empty() {
        REPEATED
    } else if message.is_some() {
        COUNTED_WITH_MESSAGE
    } else {
        COUNTED
    };
    let parts = [
        ("$origin", &*format!("{origin}({{ fn __here() {{}} __here }}, $returns_nothing)")),
        ("$returns_nothing", if is_without_value(body.as_ref()) { "true" } else { "false" }),
        ("$run", RUN_BLOCK),
        ("$fail_fn", FAIL_FN),
        ("$fail", if message.is_some() { FAIL_WITH_MESSAGE } else { FAIL }),
    ];
    let holes = [
        ("settings", settings),
        ("output", quote("_", &[])),
        ("body", body.map(TokenTree::from).into_iter().collect()),
        ("message", message.unwrap_or_default()),
        ("krate", krate),
    ];
    let counted = quote(&with_parts(template, &parts), &holes);
    TokenTree::from(group(Delimiter::Brace, counted, Span::mixed_site())).into()
}

pub(crate) fn assert_growth(growth: Growth) -> TokenStream {
    let Growth { krate, limits, sizes, set_up, message } = growth;
    let mut calls = TokenStream::new();
    for (key, order) in limits {
        let holes = [
            ("krate", krate.clone()),
            ("key", TokenTree::from(key).into()),
            ("order", TokenTree::from(order).into()),
        ];
        calls.extend(quote(".$key($krate::__private::Order::$order)", &holes));
    }
    if let Some(sizes) = sizes {
        calls.extend(quote(".sizes(&$sizes)", &[("sizes", sizes)]));
    }
    let fail = if message.is_some() { FAIL_GROWTH_WITH_MESSAGE } else { FAIL_GROWTH };
    let holes = [
        ("calls", calls),
        ("set_up", set_up),
        ("message", message.unwrap_or_default()),
        ("krate", krate),
    ];
    quote(&with_parts(GROWTH, &[("$fail", fail)]), &holes)
}

/// The template with further templates in place of some of its holes.
fn with_parts(template: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(template.to_owned(), |text, (hole, part)| text.replace(hole, part))
}

/// Whether one sees that a block has no value. Others may have none either.
fn is_without_value(body: Option<&Group>) -> bool {
    let last = body.and_then(|body| body.stream().into_iter().last());
    last.map_or(true, |last| is_punct(Some(&last), ';'))
}

/// `Setting::max(10), Setting::max_bytes(..), ..`, with the path of each. Made of tokens, since all
/// tests have them, and a template takes longer.
fn settings(args: &Args, krate: &TokenStream) -> TokenStream {
    let mut settings = Vec::new();
    for setting in args.settings() {
        let variant = [word("__private"), word("Setting"), setting.key.clone()];
        let value = group(Delimiter::Parenthesis, value(setting, krate), Span::mixed_site());
        settings.extend(path(Some(krate), variant));
        settings.extend([TokenTree::from(value), punct(',', Spacing::Alone)]);
    }
    settings.into_iter().collect()
}

/// `recorded` has none: what it needs is the root of the package, as the compiler knows it. A bare
/// literal is a `u64` where it stands. Other expressions have a type of their own, which
/// `limit` converts.
fn value(setting: &Setting, krate: &TokenStream) -> TokenStream {
    if setting.key.to_string() == keys::RECORDED {
        return quote("::core::option_env!(\"CARGO_MANIFEST_DIR\")", &[]);
    }
    let value = fragments::kept(&setting.value);
    if setting.literal().is_some() || setting.key.to_string() == keys::CALL_SITES {
        return value;
    }
    if setting.key.to_string() == keys::ALLOW {
        return quote("&$value", &[("value", value)]);
    }
    let key = TokenTree::from(Literal::string(&setting.key.to_string()));
    let holes = [("krate", krate.clone()), ("key", key.into()), ("value", value)];
    quote("$krate::__private::limit($key, $value)", &holes)
}

/// Splits off the `#![..]` at the start of a body. They must stay at the very start, and the
/// expansion moves the rest of the body inwards.
fn hoist_inner_attributes(body: &Body) -> (&[TokenTree], Group) {
    let end = item::inner_attributes(&body.tokens);
    if end == 0 {
        return (&[], body.group.clone());
    }
    let (attributes, rest) = body.tokens.split_at(end);
    (attributes, group(Delimiter::Brace, fragments::kept(rest), body.group.span()))
}
