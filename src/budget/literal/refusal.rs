//! Cold: `Refusal`, why a number in a source stays as it is.

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no literal that stands for this budget alone.
    LeftAlone(&'static str),
    /// Something is to be put right first.
    Error(String),
}

impl Refusal {
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::LeftAlone(why) => why,
            Self::Error(why) => why,
        }
    }
}
