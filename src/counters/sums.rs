//! Hot: `Sums`, the numbers that allocation events raise.

/// How far a scope has come, or how far it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) events: i64,
    pub(crate) reallocs: i64,
    /// Bytes requested.
    pub(crate) bytes: i64,
    pub(crate) net_bytes: i64,
}

impl Sums {
    /// No limits.
    pub(crate) const MAX: Self =
        Self { events: i64::MAX, reallocs: i64::MAX, bytes: i64::MAX, net_bytes: i64::MAX };

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            events: self.events.wrapping_sub(earlier.events),
            reallocs: self.reallocs.wrapping_sub(earlier.reallocs),
            bytes: self.bytes.wrapping_sub(earlier.bytes),
            net_bytes: self.net_bytes.wrapping_sub(earlier.net_bytes),
        }
    }

    pub(crate) fn exceed(self, limits: Self) -> bool {
        self.events > limits.events
            || self.reallocs > limits.reallocs
            || self.bytes > limits.bytes
            || self.net_bytes > limits.net_bytes
    }
}
