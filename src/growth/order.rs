//! Cold: `Order`, how a number may grow with the size of the input, and `Fit`, how it does.

use std::fmt;

/// How a number grows with the size `n` of the input; see [`Growth`](crate::Growth).
///
/// `Display` writes it as [`assert_growth!`](crate::assert_growth) reads it: `O(n log n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Order {
    /// `O(1)`: it is bounded, however large `n` gets.
    Constant,
    /// `O(log n)`: each doubling of `n` adds the same.
    Logarithmic,
    /// `O(n)`: twice the `n`, twice the number.
    Linear,
    /// `O(n log n)`: a little more than that, as for sorting.
    Linearithmic,
    /// `O(n^2)`: twice the `n`, four times the number.
    Quadratic,
}

impl Order {
    /// What stands between the parentheses of `O(..)`.
    const fn function(self) -> &'static str {
        match self {
            Self::Constant => "1",
            Self::Logarithmic => "log n",
            Self::Linear => "n",
            Self::Linearithmic => "n log n",
            Self::Quadratic => "n^2",
        }
    }

    /// The function itself.
    pub(super) fn of(self, n: usize) -> f64 {
        let n = n as f64;
        match self {
            Self::Constant => 1.0,
            Self::Logarithmic => n.log2(),
            Self::Linear => n,
            Self::Linearithmic => n * n.log2(),
            Self::Quadratic => n * n,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "O({})", self.function())
    }
}

/// How numbers grow: by an order, or faster than any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    Order(Order),
    Faster,
}

impl Fit {
    /// In words: `constant`, `grows as n log n`.
    #[cfg(feature = "backtraces")]
    pub(super) fn grows(self) -> String {
        match self {
            Self::Order(Order::Constant) => "constant".to_owned(),
            Self::Order(order) => format!("grows as {}", order.function()),
            Self::Faster => format!("grows faster than {}", Order::Quadratic.function()),
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => order.fmt(f),
            Self::Faster => write!(f, "> {}", Order::Quadratic),
        }
    }
}
