//! Where does a parser allocate? The call sites of a small one for `key = value` files:
//! `cargo run --example call_sites`. With `-- --snapshot` as the text to compare with an earlier
//! one, in a snapshot test for example.

use std::collections::BTreeMap;
use std::num::ParseIntError;
use std::str::FromStr;

use mod_alloc::{AllocScope, ModAlloc};

#[global_allocator]
static GLOBAL: ModAlloc = ModAlloc::new();

const TEXT: &str = "\
# Where to listen
host = localhost
ports = 80, 443, 8080

[paths]
root = /srv/www
index = index.html, index.htm
";

#[derive(Debug, PartialEq)]
enum Value {
    Text(String),
    Numbers(Vec<u16>),
    Words(Vec<String>),
}

/// Parses the items of a list, whichever type they have.
fn list<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(|item| item.trim().parse()).collect()
}

impl FromStr for Value {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        Ok(match text {
            _ if text.starts_with(|c: char| c.is_ascii_digit()) => Self::Numbers(list(text)?),
            _ if text.contains(',') => Self::Words(list(text).unwrap_or_default()),
            _ => Self::Text(text.to_owned()),
        })
    }
}

trait Render {
    fn render_to(&self, page: &mut String);
}

impl Render for Value {
    fn render_to(&self, page: &mut String) {
        match self {
            Self::Text(text) => page.push_str(text),
            Self::Numbers(numbers) => page.push_str(&format!("{numbers:?}")),
            Self::Words(words) => page.push_str(&words.join(" ")),
        }
        page.push('\n');
    }
}

type Settings = BTreeMap<String, Value>;

/// What is left of a line without its comment; nothing, if nothing is left.
macro_rules! content {
    ($line:expr) => {
        $line.split('#').next().map(str::trim).filter(|line| !line.is_empty())
    };
}

fn parse(text: &str) -> Result<Settings, ParseIntError> {
    let mut settings = Settings::new();
    let mut section = String::new();
    let mut insert = |section: &str, key: &str, value| {
        settings.insert(format!("{section}{key}"), value);
    };
    for line in text.lines().filter_map(|line| content!(line)) {
        match (line.strip_prefix('[').and_then(|line| line.strip_suffix(']')), line.split_once('='))
        {
            (Some(name), _) => section = name.to_owned() + ".",
            (None, Some((key, value))) => insert(&section, key.trim(), value.trim().parse()?),
            (None, None) => {}
        }
    }
    Ok(settings)
}

fn render(settings: &Settings) -> String {
    let mut page = String::new();
    for (key, value) in settings {
        page.push_str(&format!("{key}: "));
        value.render_to(&mut page);
    }
    page
}

fn main() -> Result<(), ParseIntError> {
    let scope = AllocScope::with_call_sites();
    let settings = parse(TEXT)?;
    let rendered = render(&settings);
    let sites = scope.call_sites();

    if std::env::args().any(|argument| argument == "--snapshot") {
        print!("{sites}");
    } else {
        print!("{rendered}\n{sites:#}");
    }
    Ok(())
}
