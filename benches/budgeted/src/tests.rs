//! 25 tests that allocate a little.

use std::hint::black_box;

macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[cfg_attr(feature = "budgets", mod_alloc::alloc_budget(max = 5))]
            #[test]
            fn $name() {
                let words: Vec<String> =
                    black_box("to be or not").split(' ').map(str::to_string).collect();
                assert_eq!(words.len(), 4);
            }
        )*
    };
}

tests! {
    t00 t01 t02 t03 t04 t05 t06 t07 t08 t09 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t20 t21 t22 t23
    t24
}
