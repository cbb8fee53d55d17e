//! Cold: `without_cycles`, a chain of calls without its recursion.

/// The chain, innermost first, as if no function had called itself, directly or through others. Of
/// the calls of one function the innermost stays, and what lies between them goes. So the result is
/// the same however deep the recursion went.
pub(super) fn without_cycles<T: Copy>(chain: &[T], is_same: impl Fn(T, T) -> bool) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(chain.len());
    for &call in chain.iter().rev() {
        // By hand: this runs for each frame of each site, and debug builds take twice as long for
        // an iterator.
        let earlier = kept.as_slice();
        let mut at = 0;
        while at < earlier.len() && !is_same(earlier[at], call) {
            at += 1;
        }
        kept.truncate(at);
        kept.push(call);
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::without_cycles;

    #[test]
    fn the_depth_of_recursion_makes_no_difference() {
        let check = |chain: &str, expected: &str| {
            let chain: Vec<&str> = chain.split(' ').collect();
            let name = |call: &str| call.chars().next();
            let kept = without_cycles(&chain, |a, b| name(a) == name(b));
            assert_eq!(kept.join(" "), expected);
        };
        check("a b main", "a b main");
        check("a3 a2 a1 main", "a3 main");
        check("e2 f1 e1 main", "e2 main");
        check("e3 f2 e2 f1 e1 main", "e3 main");
        check("f2 e2 f1 e1 main", "f2 e2 main");
        check("h2 g2 e2 f1 h1 g1 e1 main", "h2 g2 e2 main");
        check("x e2 f1 e1 y f0 main", "x e2 f1 main");
    }
}
