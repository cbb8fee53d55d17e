//! Cold: what `Exceeded`, the error of a broken budget, prints: the report.

use std::fmt;

use super::text;
use crate::budget::Exceeded;
use crate::ignored::Ignored;
use crate::styled::Styled;

impl Exceeded {
    /// The report, with the user's message in it.
    pub(crate) fn report(&self, message: Option<fmt::Arguments<'_>>) -> Ignored<Styled> {
        let message = message.map(formatted);
        Ignored::new(|at_work| {
            text::text(at_work, &self.data, message.as_ref().map(|message| message.as_str()))
        })
    }
}

/// The user's message.
pub(crate) fn formatted(message: fmt::Arguments<'_>) -> Ignored<String> {
    let mut text = Ignored::new(|_| String::new());
    // A user's `Display` may fail; what it wrote until then is shown.
    let _ = fmt::Write::write_fmt(&mut text, message);
    text
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report(None).as_str())
    }
}

impl fmt::Debug for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report(None).as_str())
    }
}
