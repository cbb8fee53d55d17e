//! What the command line asks for.

use std::env;
use std::process;

pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// The sections that are asked for. If there is none, all are.
    sections: Vec<String>,
}

impl Options {
    /// `sections` are the names of all that there are.
    pub(crate) fn from_args(sections: &[&str]) -> Self {
        // Cargo adds `--bench`.
        let args = env::args().skip(1).filter(|arg| arg != "--bench");
        Self::parse(args, sections).unwrap_or_else(|wrong| {
            let names = sections.join(" ");
            eprintln!("{wrong}\nusage: [--rounds N] [SECTION]...\nsections: {names}");
            process::exit(2)
        })
    }

    fn parse(mut args: impl Iterator<Item = String>, sections: &[&str]) -> Result<Self, String> {
        let mut options = Self { rounds: 15, sections: Vec::new() };
        while let Some(arg) = args.next() {
            if arg == "--rounds" {
                let rounds = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                options.rounds = rounds.ok_or("`--rounds` takes a number from 1")?;
            } else if sections.contains(&arg.as_str()) {
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
