//! Cold: finds a block whose value is, as one sees, a closure or an `async` block. The block would
//! only make it, and the budget would hold whatever it allocates when it runs. Called by `block`.
//!
//! Where one does not see it, the type tells: see `value` in the runtime crate. The errors here
//! have better words, and only here closures with parameters are found.

use proc_macro::{Delimiter, TokenTree};

use crate::error::Error;
use crate::tokens::{as_group, is_ident, is_punct, listed, opened, position};

pub(crate) fn check(body: &[TokenTree]) -> Option<Error> {
    let tokens = opened(body);
    let after = tokens.iter().rposition(|token| is_punct(Some(token), ';')).map_or(0, |at| at + 1);
    let value = &tokens[after..];
    if let [TokenTree::Group(group)] = value {
        let is_block = group.delimiter() == Delimiter::Brace;
        return is_block.then(|| check(&listed(group.stream()))).flatten();
    }
    let is_other = |token: &TokenTree| {
        !["async", "static", "move"].iter().any(|word| is_ident(Some(token), word))
    };
    let rest = &value[position(value, &is_other).unwrap_or(value.len())..];
    if is_punct(rest.first(), '|') {
        return Some(closure(value));
    }
    match rest {
        [block] if rest.len() < value.len() => {
            as_group(Some(block), Delimiter::Brace).map(|_| future(value))
        }
        _ => None,
    }
}

fn closure(value: &[TokenTree]) -> Error {
    let message = "this is a closure that is not called: nothing of what it does is measured";
    Error::over(value, message).help(
        "write the block itself, without `||`; or return the closure in a tuple, `(closure,)`, if \
         only making it is to be measured",
    )
}

fn future(value: &[TokenTree]) -> Error {
    let message = "this is a future that is not polled: nothing of what it does is measured";
    Error::over(value, message).help(
        "measure the future: `Budget::new().max(10).check_future(future).await`, or \
         `enforce_future`, counts while it is polled; or return it in a tuple, `(future,)`, if \
         only making it is to be measured",
    )
}
