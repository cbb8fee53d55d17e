//! Compares what counting costs: runs the measured binaries side by side, and prints a table for
//! each question.
//!
//! No figure makes the run fail. A binary or a build that does not work does.

mod attribution;
mod budgeted;
mod cargo;
mod child;
mod clean_build;
mod debug;
mod dhat;
mod growth;
mod instructions;
mod modules;
mod nesting;
mod options;
mod picture;
mod readme;
mod reports;
mod rounds;
mod scopes;
mod sites;
mod subject;
mod summary;
mod table;
mod time;

use options::Options;

/// The name of a question, and the function that answers it.
type Section = (&'static str, fn(&Options));

/// All sections, in the order of the output.
const SECTIONS: [Section; 14] = [
    ("time", time::print),
    ("nesting", nesting::print),
    ("scopes", scopes::print),
    ("instructions", instructions::print),
    ("modules", modules::print),
    ("debug", debug::print),
    ("sites", sites::print),
    ("reports", reports::print),
    ("attribution", attribution::print),
    ("growth", growth::print),
    ("dhat", dhat::print),
    ("budgeted", budgeted::print),
    ("clean-build", clean_build::print),
    ("readme", readme::print),
];

fn main() {
    let options = Options::from_args(&SECTIONS.map(|(name, _)| name));
    for (name, print) in SECTIONS {
        if options.wants(name) {
            print(&options);
            println!();
        }
    }
}
