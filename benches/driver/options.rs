//! `Options`: what the command line asks for.

use std::env;
use std::process;

use crate::SECTIONS;

pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// All, if empty.
    sections: Vec<String>,
}

impl Options {
    pub(crate) fn from_args() -> Self {
        // Cargo adds `--bench`.
        Self::parse(env::args().skip(1).filter(|arg| arg != "--bench")).unwrap_or_else(|wrong| {
            let names = SECTIONS.map(|(name, _)| name).join(" ");
            eprintln!("{wrong}\nusage: [--rounds N] [SECTION]...\nsections: {names}");
            process::exit(2)
        })
    }

    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { rounds: 15, sections: Vec::new() };
        while let Some(arg) = args.next() {
            if arg == "--rounds" {
                let rounds = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                options.rounds = rounds.ok_or("`--rounds` takes a number from 1")?;
            } else if SECTIONS.iter().any(|(name, _)| *name == arg) {
                options.sections.push(arg);
            } else {
                return Err(format!("`{arg}` is no section"));
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|name| name == section)
    }
}
