//! Cold: cuts tokens at the commas between arguments; called by `args` and `block`, and by `exits`
//! for what an operator is.
//!
//! The commas inside brackets are hidden in groups. Those of generic arguments and of closure
//! parameters are not, because `<` and `|` are also operators: `lim::<u8, Vec<u8>>()` is one
//! argument, and so is `x as Map<u8, u8>`; `a < b, min = 0` is two.

use proc_macro::{Spacing, Span, TokenTree};

/// One argument, and the comma behind it unless it is the last.
pub(crate) struct Argument<'a> {
    pub(crate) tokens: &'a [TokenTree],
    pub(crate) comma: Option<Span>,
}

/// The arguments between the commas of `tokens`. Between two commas in a row is an empty one;
/// behind a comma at the end is none.
pub(crate) fn split(tokens: &[TokenTree]) -> Vec<Argument<'_>> {
    let mut arguments = Vec::new();
    let mut start = 0;
    for comma in positions(tokens) {
        let span = Some(tokens[comma].span());
        arguments.push(Argument { tokens: &tokens[start..comma], comma: span });
        start = comma + 1;
    }
    if start < tokens.len() {
        arguments.push(Argument { tokens: &tokens[start..], comma: None });
    }
    arguments
}

/// Where the commas that separate arguments are.
pub(crate) fn positions(tokens: &[TokenTree]) -> Vec<usize> {
    let mut reader = Reader::default();
    let mut positions = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if reader.is_separator(Piece::of(token)) {
            positions.push(at);
        }
    }
    positions
}

/// Whether a value may follow `tokens`, and not an operator.
pub(crate) fn value_may_begin(tokens: &[TokenTree]) -> bool {
    let previous = tokens.last().map(Piece::of);
    Reader { previous, ..Reader::default() }.value_may_begin()
}

/// What one must know of a token to tell brackets from operators.
#[derive(Clone, Copy, PartialEq)]
enum Piece {
    /// The end of a value: an operator follows.
    Operand,
    /// A word after which a value begins, or something else that is no operator.
    Keyword,
    /// `as`, after which a type begins.
    As,
    Punct(char, Spacing),
}

impl Piece {
    fn of(token: &TokenTree) -> Self {
        match token {
            TokenTree::Punct(punct) => Self::Punct(punct.as_char(), punct.spacing()),
            TokenTree::Ident(ident) => Self::of_word(&ident.to_string()),
            TokenTree::Literal(_) | TokenTree::Group(_) => Self::Operand,
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "as" => Self::As,
            "async" | "break" | "const" | "dyn" | "else" | "for" | "if" | "in" | "match"
            | "move" | "mut" | "return" | "static" | "while" => Self::Keyword,
            _ => Self::Operand,
        }
    }
}

/// Reads expressions from left to right, and remembers what is open.
#[derive(Default)]
struct Reader {
    /// How many `<` of generic arguments are open.
    angles: usize,
    /// Whether it is between the bars of a closure.
    in_params: bool,
    /// Whether it is in a type, behind `as` or the `->` of a closure. There `<` is no operator.
    in_type: bool,
    previous: Option<Piece>,
}

impl Reader {
    /// Takes the next token, and says whether it is a comma between arguments.
    fn is_separator(&mut self, piece: Piece) -> bool {
        let mut separates = false;
        let mut closes = false;
        // Behind the name of a type, only `::` and `<` continue the type.
        let goes_on = matches!(piece, Piece::Punct(':' | '<', _));
        self.in_type &= self.angles > 0 || goes_on || self.previous != Some(Piece::Operand);
        match piece {
            Piece::As => self.in_type = true,
            Piece::Operand | Piece::Keyword => {}
            Piece::Punct(punct, _) => match punct {
                ',' => separates = self.angles == 0 && !self.in_params,
                '<' if self.angles > 0 || self.in_type || self.value_may_begin() => {
                    self.angles += 1;
                }
                '>' if self.in_arrow() => self.in_type |= self.angles == 0,
                '>' if self.angles > 0 => {
                    self.angles -= 1;
                    closes = self.angles == 0;
                }
                '|' if self.in_params => self.in_params = false,
                '|' if self.value_may_begin() => self.in_params = true,
                _ => {}
            },
        }
        let piece = if closes { Piece::Operand } else { piece };
        self.previous = (!separates).then_some(piece);
        separates
    }

    /// Whether a value may come next. None may behind a value or inside of `<<` or `||`. One may
    /// behind `::`, where `<` opens generic arguments.
    fn value_may_begin(&self) -> bool {
        !matches!(
            self.previous,
            Some(Piece::Operand | Piece::Punct('?', _) | Piece::Punct('<' | '|', Spacing::Joint))
        )
    }

    /// Whether the next token is the `>` of `->`, if it is a `>`.
    fn in_arrow(&self) -> bool {
        self.previous == Some(Piece::Punct('-', Spacing::Joint))
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Reader};
    use proc_macro::Spacing;

    /// Lexes just enough for these tests: words, numbers and `(..)` are operands or keywords.
    fn pieces(source: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = source.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || "_()".contains(c);
            let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let length = word.max(1);
            let after = rest[length..].chars().next();
            pieces.push(match word {
                0 if after.is_some_and(|c| c.is_ascii_punctuation() && !"()_".contains(c)) => {
                    Piece::Punct(first, Spacing::Joint)
                }
                0 => Piece::Punct(first, Spacing::Alone),
                _ => Piece::of_word(&rest[..word]),
            });
            rest = rest[length..].trim_start();
        }
        pieces
    }

    fn check(source: &str, separators: usize) {
        let mut reader = Reader::default();
        let found = pieces(source).into_iter().filter(|&piece| reader.is_separator(piece));
        assert_eq!(found.count(), separators, "{source}");
    }

    #[test]
    fn commas_of_generic_arguments_separate_nothing() {
        check("max = lim::<u8, Vec<u8>>(), min = 0", 1);
        check("max = <u64 as Into<A, B>>::into(0), min = 0", 1);
        check("max = <<T as A<u8, u8>>::B as C>::D, min = 0", 1);
        check("max = if <T as A<u8, u8>>::B {} else {}, min = 0", 1);
        check("max = f::<fn() -> Pair<u8, u8>, u8>(), min = 0", 1);
        check("max = 1 + <A<u8, u8>>::B, min = 0", 1);
    }

    #[test]
    fn commas_of_closure_parameters_separate_nothing() {
        check("|a, b| a + b, runs = 1", 1);
        check("max = move |a, b| a, runs = 1", 1);
        check("|| a, runs = 1", 1);
    }

    #[test]
    fn commas_of_types_separate_nothing() {
        check("x as Map<u8, u8>, min = 0", 1);
        check("&x as *const Map<u8, u8>, min = 0", 1);
        check("x as &mut dyn Map<u8, u8>, min = 0", 1);
        check("x as a::Map<u8, <T as A<u8, u8>>::B>::C<u8, u8>, min = 0", 1);
        check("x as <T as A<u8, u8>>::B, min = 0", 1);
        check("x as fn(u8) -> Map<u8, u8>, min = 0", 1);
        check("|a, b| -> Map<u8, u8> (a), min = 0", 1);
        check("&mut <T as A<u8, u8>>::B, min = 0", 1);
    }

    #[test]
    fn types_end_before_operators() {
        check("x as u8 + y < z, min = 0 > 1", 1);
        check("x as u8 * y < z, min = 0 > 1", 1);
        check("x as u8 & y < z, min = 0 > 1", 1);
        check("x as u8 - y < z, min = 0 > 1", 1);
        check("f::<fn() -> u8>() < y, min = 0 > 1", 1);
        check("A::<u8> < y, min = 0 > 1", 1);
        check("x as Vec<u8> | y, min = 0 | 1", 1);
    }

    #[test]
    fn operators_open_nothing() {
        check("max = a < b, min = 0", 1);
        check("max = a << b, min = 0", 1);
        check("max = a <<b, min = 0", 1);
        check("max = a <= b, min = 0", 1);
        check("max = a | b, min = a || b, runs = c | d", 2);
        check("max = f() < 3, min = 4 > 5, runs = 6", 2);
        check("max = f()? < 3, min = 0", 1);
        check("max = a > b, min = c >> d, runs = 3", 2);
    }

    #[test]
    fn plain_arguments_are_separated() {
        check("", 0);
        check("max = 1", 0);
        check("max = 1,", 1);
        check("max = 1,, min = 2", 2);
    }
}
