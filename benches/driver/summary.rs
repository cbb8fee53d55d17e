//! The median and the extremes of some measurements.

use std::fmt;

#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    min: f64,
    max: f64,
}

impl Summary {
    /// # Panics
    /// If there is nothing to summarise.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Self { median: (low + high) / 2.0, min: values[0], max: values[values.len() - 1] }
    }

    /// The extremes, as `min..max`.
    pub(crate) fn range(&self) -> String {
        format!("{}..{}", Figure(self.min), Figure(self.max))
    }

    pub(crate) fn median(&self) -> String {
        Figure(self.median).to_string()
    }
}

/// A number with as many decimals as mean something.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = match self.0 {
            x if x < 10.0 => 2,
            x if x < 100.0 => 1,
            _ => 0,
        };
        write!(f, "{:.decimals$}", self.0)
    }
}
