//! Cold: `Setting`, a key of a macro with its value. Expansions make lists of them. Such a list is
//! a constant, where a chain of setters would be code in each test.

use super::builder::Budget;

macro_rules! settings {
    ($($limit:ident)*) => {
        /// Each is the setter of the same name. It is public in name only.
        #[allow(non_camel_case_types, missing_docs)]
        #[derive(Clone, Copy, Debug)]
        pub enum Setting {
            $($limit(u64),)*
            /// With the root of the package, as far as the compiler knows it.
            recorded(Option<&'static str>),
            call_sites(bool),
            allow(&'static [&'static str]),
            warmup(u64),
            runs(u64),
        }

        impl Setting {
            /// The limit with this key.
            pub(super) fn limit(key: &str, limit: u64) -> Self {
                match key {
                    $(stringify!($limit) => Self::$limit(limit),)*
                    _ => panic!("this is a bug in mod-alloc: `{key}` is no limit"),
                }
            }

            fn set(self, budget: Budget) -> Budget {
                match self {
                    $(Self::$limit(limit) => budget.$limit(limit),)*
                    Self::recorded(root) => budget.recorded_of_test(root),
                    Self::call_sites(record) => budget.call_sites(record),
                    Self::allow(paths) => budget.allow(paths),
                    Self::warmup(_) | Self::runs(_) => budget,
                }
            }
        }
    };
}

settings! {
    max min exact max_bytes max_peak_bytes max_block_bytes max_reallocs max_deallocs max_retained
    max_retained_bytes
}

/// The budget that `settings` make. Whoever repeats the code asks for `warmup` and `runs` itself.
pub(crate) fn budget(settings: &[Setting]) -> Budget {
    settings.iter().fold(Budget::new(), |budget, setting| setting.set(budget))
}
