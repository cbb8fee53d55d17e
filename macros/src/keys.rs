//! Cold: the names of the keys, and which of them a misspelt one was meant to be; called by `args`.

/// All keys. The limits are a `Setting` of the runtime crate each that takes a `u64`.
const KEYS: &[&str] = &[
    "max",
    "min",
    "exact",
    "max_bytes",
    "max_peak_bytes",
    "max_block_bytes",
    "max_reallocs",
    "max_deallocs",
    "max_retained",
    "max_retained_bytes",
    RECORDED,
    "warmup",
    "runs",
    CALL_SITES,
    ALLOW,
    CRATE,
];

/// The number of allocations is what was recorded last: a `Setting`, but written without a value.
pub(crate) const RECORDED: &str = "recorded";

/// Whether call sites are recorded: a `Setting` that takes a `bool`.
pub(crate) const CALL_SITES: &str = "call_sites";

/// Crates and modules that are not charged: a `Setting` that takes a list of paths.
pub(crate) const ALLOW: &str = "allow";

/// Each makes the body run more than once, which turns it into a closure.
pub(crate) const REPEATS: [&str; 2] = ["warmup", "runs"];

/// The path of the runtime crate, in the attribute only.
pub(crate) const CRATE: &str = "crate";

/// No key: `#[alloc_budget(off)]` is not held to the budget of the module around it.
pub(crate) const OFF: &str = "off";

pub(crate) fn is_key(name: &str) -> bool {
    KEYS.contains(&name)
}

/// All keys but `crate`, for a sentence: "`max`, `min`, .. and `allow`".
pub(crate) fn listed() -> String {
    let mut list = String::new();
    for key in KEYS.iter().filter(|key| **key != CRATE) {
        list += match (*key, list.is_empty()) {
            (_, true) => "",
            (ALLOW, _) => " and ",
            _ => ", ",
        };
        list += &format!("`{key}`");
    }
    list
}

/// What people write for a key whose letters are quite different.
const ALIASES: &[(&str, &str)] = &[
    ("alloc", "max"),
    ("allowed", "allow"),
    ("allocations", "max"),
    ("allocs", "max"),
    ("count", "max"),
    ("limit", "max"),
    ("max_allocations", "max"),
    ("max_allocs", "max"),
    ("bytes", "max_bytes"),
    ("total_bytes", "max_bytes"),
    ("peak", "max_peak_bytes"),
    ("max_peak", "max_peak_bytes"),
    ("max_block", "max_block_bytes"),
    ("largest_block", "max_block_bytes"),
    ("reallocs", "max_reallocs"),
    ("deallocs", "max_deallocs"),
    ("max_frees", "max_deallocs"),
    ("leaks", "max_retained"),
    ("max_leaks", "max_retained"),
    ("backtrace", "call_sites"),
];

/// The key that `name` was probably meant to be: the nearest key or alias. It may have one mistake
/// for every three letters: with more, `bar` would be taken for `max`.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    nearest_among(name, KEYS)
}

/// The same where only these are keys.
pub(crate) fn nearest_among(name: &str, keys: &[&'static str]) -> Option<&'static str> {
    let allowed = (name.len() / 3).clamp(1, 3);
    let mut words = ALIASES.to_vec();
    words.retain(|(_, key)| keys.contains(key));
    words.extend(keys.iter().map(|key| (*key, *key)));
    let mut nearest = None;
    for (word, key) in words {
        let edits = edits(word, name);
        if edits <= allowed && nearest.map_or(true, |nearest| (edits, key) < nearest) {
            nearest = Some((edits, key));
        }
    }
    nearest.map(|(_, key)| key)
}

/// How many letters to insert, delete, replace or swap with a neighbour to get from one word to the
/// other (optimal string alignment): `table[i][j]` is the answer for the first `i` and the first
/// `j` letters. All keys are ASCII.
fn edits(from: &str, to: &str) -> usize {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    let mut table = Vec::new();
    for i in 0..=from.len() {
        table.push(vec![0; to.len() + 1]);
        for j in 0..=to.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = usize::from(from[i - 1] != to[j - 1]);
                (table[i - 1][j - 1] + replaced).min(table[i - 1][j] + 1).min(table[i][j - 1] + 1)
            };
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                table[i][j] = table[i][j].min(table[i - 2][j - 2] + 1);
            }
        }
    }
    table[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::{edits, listed, nearest};

    #[test]
    fn edits_are_counted_by_letter() {
        let check = |from, to, count| assert_eq!(edits(from, to), count, "{from} to {to}");
        check("max", "max", 0);
        check("max", "maxx", 1);
        check("max", "mx", 1);
        check("max", "mix", 1);
        check("min", "mni", 1);
        check("", "runs", 4);
        check("max", "runs", 4);
    }

    #[test]
    fn a_typo_finds_its_key() {
        let check = |name, key| assert_eq!(nearest(name), Some(key), "{name}");
        check("maxx", "max");
        check("mni", "min");
        check("exatc", "exact");
        check("max_byts", "max_bytes");
        check("max_peak_byte", "max_peak_bytes");
        check("max_realloc", "max_reallocs");
        check("warm_up", "warmup");
        check("run", "runs");
        check("krate", "crate");
        check("record", "recorded");
        check("max_allocs", "max");
        check("max_alloc", "max");
        check("alloc", "max");
        check("max_dealloc", "max_deallocs");
        check("max_peaks", "max_peak_bytes");
        check("bytes", "max_bytes");
    }

    #[test]
    fn another_word_finds_none() {
        for name in ["bar", "ceiling", "x"] {
            assert_eq!(nearest(name), None, "{name}");
        }
    }

    #[test]
    fn keys_are_listed_as_a_sentence() {
        assert!(listed().starts_with("`max`, `min`, "), "{}", listed());
        assert!(listed().ends_with("`call_sites` and `allow`"), "{}", listed());
    }
}
