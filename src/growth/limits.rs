//! Cold: `Orders`, which order is allowed of each metric.

use super::order::Order;
use crate::budget::Metric;

/// The order that is allowed of each metric, if it is limited.
pub(super) type Orders = [Option<Order>; Metric::ALL.len()];

/// The metrics that are limited, in the order of the report.
pub(super) fn limits(orders: &Orders) -> impl Iterator<Item = (Metric, Order)> + '_ {
    Metric::ALL.into_iter().filter_map(|metric| Some((metric, orders[metric as usize]?)))
}
