use mod_alloc::alloc_budget;

#[macro_export]
macro_rules! ignore {
    ($($tokens:tt)*) => {};
}

#[alloc_budget(max = 1)]
mod tests {
    macro_rules! cases {
        ($($name:ident)*) => {$(
            #[test]
            fn $name() {}
        )*};
    }
    cases!(one two);

    crate::ignore! {
        #[test]
        fn property(n: u8) {}
    }

    #[cfg(any())]
    include!("tests.rs");

    mod within {
        ignore! { deeper { #[cfg_attr(test, tokio::test)] async fn polls() {} } }
    }

    ignore! { without tests, #[cfg(test)] }

    #[test]
    fn holds() {}
}

fn main() {}
