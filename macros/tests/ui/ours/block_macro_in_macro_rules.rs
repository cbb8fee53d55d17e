use mod_alloc::assert_allocs;

macro_rules! measured {
    ($key:ident = $value:expr, $body:block) => {
        assert_allocs!($key = $value, $body)
    };
}

fn main() {
    measured!(max = 1, { () });
    measured!(maxx = 1, { () });
    measured!(max = -1, { () });
}
