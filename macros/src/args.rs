//! Cold: reads `key = value, ..`, the same in the attribute and in the block macros, and finds the
//! contradictions that can be seen before anything runs. Called by `lib` and `block`.

use proc_macro::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

use crate::commas::{self, Argument};
use crate::error::{Error, Errors};
use crate::keys;
use crate::literal::{is_integer, unsuffixed_integer};
use crate::quote::{path, word};
use crate::tokens::{as_group, is_path, is_punct, listed, only, opened};

/// Where the keys stand. That decides which are allowed, and what errors say.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Attribute,
    AssertAllocs,
}

/// `key = value`.
pub(crate) struct Setting {
    pub(crate) key: Ident,
    pub(crate) value: Vec<TokenTree>,
}

/// What the keys of one macro call ask for.
#[derive(Default)]
pub(crate) struct Args {
    /// In the order written; each becomes a `Setting` of the runtime crate.
    pub(crate) limits: Vec<Setting>,
    /// `recorded`, a limit without a value.
    pub(crate) recorded: Option<Setting>,
    /// `warmup` and `runs`: settings as well.
    pub(crate) repeats: Vec<Setting>,
    /// `call_sites`, a setting as well.
    pub(crate) call_sites: Option<Setting>,
    /// `allow`, a setting as well.
    pub(crate) allow: Option<Setting>,
    /// The value of `crate = path`.
    pub(crate) krate: Option<TokenStream>,
}

impl Args {
    pub(crate) fn of_attribute(tokens: TokenStream, errors: &mut Errors) -> Self {
        let tokens = listed(tokens);
        let args = Self::parse(commas::split(&tokens), Place::Attribute, errors);
        if !args.has_limit() && errors.is_empty() {
            let error = Error::over(&tokens, "`#[alloc_budget]` needs at least one limit");
            errors.push(error.help("`max = 10` allows ten allocations, `max = 0` allows none"));
        }
        args
    }

    /// Reads every argument, also after an error, since the next one may be wrong as well.
    pub(crate) fn parse(arguments: Vec<Argument<'_>>, place: Place, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for argument in arguments {
            match Setting::parse(&argument, place) {
                Ok(setting) => args.add(setting, errors),
                Err(error) => errors.push(error),
            }
        }
        args.find_contradictions(errors);
        args
    }

    pub(crate) fn has_limit(&self) -> bool {
        !self.limits.is_empty() || self.recorded.is_some()
    }

    fn add(&mut self, setting: Setting, errors: &mut Errors) {
        let name = setting.name();
        let is_duplicate = match name.as_str() {
            keys::CRATE => self.krate.is_some(),
            _ => self.setting(&name).is_some(),
        };
        if is_duplicate {
            let error = Error::at(setting.key.span(), format!("duplicate key `{name}`"));
            errors.push(error.help("keep one of them"));
        } else if name == keys::CRATE {
            self.krate = Some(opened(&setting.value).into_iter().collect());
        } else if name == keys::RECORDED {
            self.recorded = Some(setting);
        } else if name == keys::CALL_SITES {
            self.call_sites = Some(setting);
        } else if name == keys::ALLOW {
            self.allow = Some(setting);
        } else if keys::REPEATS.contains(&name.as_str()) {
            self.repeats.push(setting);
        } else {
            self.limits.push(setting);
        }
    }

    /// All that become a `Setting` of the runtime crate.
    pub(crate) fn settings(&self) -> Vec<&Setting> {
        let mut settings = Vec::new();
        settings.extend(&self.recorded);
        settings.extend(&self.limits);
        settings.extend(&self.call_sites);
        settings.extend(&self.allow);
        settings.extend(&self.repeats);
        settings
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings().into_iter().find(|setting| setting.name() == name)
    }

    /// The path of the runtime crate.
    pub(crate) fn krate(&self) -> TokenStream {
        self.krate.clone().unwrap_or_else(|| path(None, [word("mod_alloc")]))
    }

    fn find_contradictions(&self, errors: &mut Errors) {
        if let Some(exact) = self.setting("exact") {
            for other in ["max", "min"] {
                if self.setting(other).is_some() {
                    let message = format!("`exact` contradicts `{other}`");
                    errors.push(Error::at(exact.key.span(), message).help("keep one of them"));
                }
            }
        }
        if let Some(recorded) = &self.recorded {
            for other in ["max", "min", "exact"] {
                if self.setting(other).is_some() {
                    let message = format!("`recorded` contradicts `{other}`");
                    errors.push(Error::at(recorded.key.span(), message).help("keep one of them"));
                }
            }
        }
        if let (Some(min), Some(max)) = (self.setting("min"), self.setting("max")) {
            match (min.literal(), max.literal()) {
                (Some(low), Some(high)) if low > high => {
                    let message = format!("`min = {low}` is above `max = {high}`: no run can pass");
                    let error = Error::over(&min.value, message);
                    errors.push(error.help("swap the two numbers, or keep one of the keys"));
                }
                _ => {}
            }
        }
        if let Some(allow) = &self.allow {
            for live in ["max_peak_bytes", "max_retained", "max_retained_bytes"] {
                if self.setting(live).is_some() {
                    let message = format!("`allow` cannot be told from the rest of `{live}`");
                    errors.push(Error::at(allow.key.span(), message).help(
                        "of what is live nobody knows what it would be without the allowed \
                         allocations: use two budgets",
                    ));
                }
            }
            if let Some(off) = self.call_sites.as_ref().filter(|recorded| recorded.is_false()) {
                let message =
                    "`allow` looks at the stacks of allocations, so they must be recorded";
                errors.push(Error::at(off.key.span(), message).help("remove `call_sites = false`"));
            }
        }
        if let Some(runs) = self.setting("runs").filter(|runs| runs.literal() == Some(0)) {
            let error = Error::over(&runs.value, "`runs = 0` would measure nothing");
            errors.push(error.help("`runs` is how often the body is measured: at least once"));
        }
    }
}

impl Setting {
    fn name(&self) -> String {
        self.key.to_string()
    }

    /// The value, if it is a literal. Then it is known at compile time, and is a `u64` at run time.
    pub(crate) fn literal(&self) -> Option<u128> {
        match only(&self.value)? {
            TokenTree::Literal(literal) => unsuffixed_integer(&literal.to_string()),
            _ => None,
        }
    }

    /// The same as the runtime crate takes it; `None` also if it is too large for that.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.literal()?.try_into().ok()
    }

    /// Whether the value is the word `false`.
    fn is_false(&self) -> bool {
        matches!(only(&self.value), Some(TokenTree::Ident(word)) if word.to_string() == "false")
    }

    fn parse(argument: &Argument<'_>, place: Place) -> Result<Self, Error> {
        let key = Self::parse_key(argument, place)?;
        let name = key.to_string();
        if name == keys::RECORDED {
            return match argument.tokens {
                [_] => Ok(Self { key, value: Vec::new() }),
                tokens => Err(Error::over(tokens, "`recorded` has no value").help(
                    "the record is that of the test; `Budget::new().recorded(..)` names one",
                )),
            };
        }
        let value = Self::parse_value(&name, argument.tokens, &example(&name))?.to_vec();
        match name.as_str() {
            keys::CRATE => check_crate(&key, &value, place)?,
            keys::CALL_SITES => check_bool(&name, &value)?,
            keys::ALLOW => check_paths(&value)?,
            _ => check_number(&name, &value)?,
        }
        Ok(Self { key, value })
    }

    fn parse_key(argument: &Argument<'_>, place: Place) -> Result<Ident, Error> {
        let tokens = argument.tokens;
        let key = match (tokens.first(), argument.comma) {
            (Some(TokenTree::Ident(key)), _) => key.clone(),
            (Some(_), _) => return Err(not_a_setting(tokens)),
            (None, Some(comma)) => {
                return Err(
                    Error::at(comma, "empty argument before this comma").help("remove the comma")
                )
            }
            (None, None) => return Err(Error::over(tokens, "empty argument")),
        };
        let name = key.to_string();
        if keys::is_key(&name) {
            return Ok(key);
        }
        if name == keys::OFF {
            let error = Error::at(key.span(), "`off` stands alone");
            return Err(error
                .help("`#[alloc_budget(off)]` leaves a function out of the budget of its module"));
        }
        let help = match (keys::nearest(&name), place) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Place::Attribute) => format!("the keys are {}; also `crate`", keys::listed()),
            (None, Place::AssertAllocs) => format!("the keys are {}", keys::listed()),
        };
        Err(Error::at(key.span(), format!("unknown key `{name}`")).help(&help))
    }

    /// What follows `key =`. `help` is for where nothing does.
    pub(crate) fn parse_value<'a>(
        name: &str,
        tokens: &'a [TokenTree],
        help: &str,
    ) -> Result<&'a [TokenTree], Error> {
        let message = format!("expected `{name} = value`");
        match tokens {
            [_, TokenTree::Punct(first), second, ..]
                if first.as_char() == '='
                    && first.spacing() == Spacing::Joint
                    && is_punct(Some(second), '=') =>
            {
                Err(Error::over(&tokens[..3], message).help("a limit is set by a single `=`"))
            }
            [_, TokenTree::Punct(equals)] if equals.as_char() == '=' => {
                let error = Error::over(tokens, format!("missing value after `{name} =`"));
                Err(error.help(help))
            }
            [_, TokenTree::Punct(equals), value @ ..] if equals.as_char() == '=' => Ok(value),
            _ => Err(Error::over(tokens, message).help(help)),
        }
    }
}

/// How a key is written.
fn example(name: &str) -> String {
    match name {
        keys::CRATE => "write `crate = my_reexport::mod_alloc`".to_owned(),
        keys::ALLOW => "write `allow = [\"tracing\"]`".to_owned(),
        keys::CALL_SITES => "write `call_sites = false`".to_owned(),
        _ => format!("write `{name} = 10`"),
    }
}

/// The error of an argument that does not begin with a word.
fn not_a_setting(tokens: &[TokenTree]) -> Error {
    let error = Error::over(tokens, "expected `key = value`");
    match only(tokens) {
        Some(TokenTree::Literal(literal)) if is_integer(&literal.to_string()) => {
            error.help(&format!("write `max = {literal}`"))
        }
        _ => error.help(&format!("the keys are {}", keys::listed())),
    }
}

fn check_crate(key: &Ident, value: &[TokenTree], place: Place) -> Result<(), Error> {
    if place == Place::AssertAllocs {
        let error = Error::at(key.span(), "`crate` is a key of `#[alloc_budget]` only");
        return Err(error.help("`assert_allocs!` finds its crate by itself: remove the key"));
    }
    if !is_path(&opened(value)) {
        let error = Error::over(value, "the value of `crate` is a path");
        return Err(error.help("write `crate = my_reexport::mod_alloc`, without quotes"));
    }
    Ok(())
}

/// Only literals are refused here: the type checker refuses other values that are no `bool`.
fn check_bool(name: &str, value: &[TokenTree]) -> Result<(), Error> {
    match &opened(value)[..] {
        [TokenTree::Literal(_)] => {
            let error = Error::over(value, format!("the value of `{name}` is `true` or `false`"));
            Err(error.help(&example(name)))
        }
        _ => Ok(()),
    }
}

/// The value of `allow`: a list of paths in quotes.
fn check_paths(value: &[TokenTree]) -> Result<(), Error> {
    let list = only(value);
    let list = as_group(list.as_ref(), Delimiter::Bracket).map(Group::stream);
    let error = |tokens: &[TokenTree], message: &str| {
        let help = "write `allow = [\"tracing\", \"once_cell::sync\"]`";
        Err(Error::over(tokens, message).help(help))
    };
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return error(value, "the value of `allow` is a list of crates and modules");
    };
    for token in opened(&listed(list)).iter().filter(|token| !is_punct(Some(token), ',')) {
        let text = token.to_string();
        let path = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let token = std::slice::from_ref(token);
        match path.map(|path| (path, path.split("::").next().unwrap_or_default())) {
            Some((_, "crate" | "self" | "super")) => {
                return error(token, "a path in `allow` begins with the name of a crate");
            }
            Some((path, _)) if path.split("::").all(is_identifier) => {}
            Some(_) => return error(token, "a path in `allow` is made of names and `::`"),
            None => return error(token, "a path in `allow` is a string"),
        }
    }
    Ok(())
}

fn is_identifier(text: &str) -> bool {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '_';
    text.starts_with(|c: char| !c.is_ascii_digit()) && text.chars().all(is_in_word)
}

/// Only literals are refused here: the type checker refuses other values that are no integers, and
/// names their type.
fn check_number(name: &str, value: &[TokenTree]) -> Result<(), Error> {
    let value = opened(value);
    let literal = match &value[..] {
        [minus, TokenTree::Literal(_)] if is_punct(Some(minus), '-') => {
            let error = Error::over(&value, format!("`{name}` cannot be negative"));
            return Err(error.help("remove the minus sign, or the key"));
        }
        [TokenTree::Literal(literal)] => literal.to_string(),
        [TokenTree::Ident(word)] if ["true", "false"].contains(&word.to_string().as_str()) => {
            word.to_string()
        }
        _ => return Ok(()),
    };
    if is_integer(&literal) {
        return Ok(());
    }
    let error = Error::over(&value, format!("the value of `{name}` is an integer"));
    let unquoted = literal.trim_matches('"');
    Err(if is_integer(unquoted) {
        error.help(&format!("write `{name} = {unquoted}`, without quotes"))
    } else {
        error.help(&example(name))
    })
}
