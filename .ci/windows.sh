#!/usr/bin/env bash
# Runs tests on Windows, x86_64 with the GNU tools, under wine: the library's own, those of
# counting, scopes, budgets, reports and call sites, a twentieth of the random programs, the
# comparison of walks with RtlVirtualUnwind; and compares the report of a package outside of this
# repository with the one that Linux prints.
# Exits with 3 where the nightly toolchain, the sources of its standard library, a compiler or wine
# are missing and cannot be installed.
set -euo pipefail
cd "$(dirname "$0")/.."
unavailable() { echo "windows: $*" >&2; exit 3; }

sources=$(.ci/std-sources.sh) || exit 3

.ci/install.sh gcc-mingw-w64-x86-64-posix wine64 || exit 3
wine=$(command -v wine64 || ls /usr/lib/wine/wine64) || unavailable "no wine64"

folder="$PWD/target/windows"
mkdir -p "$folder/libraries"
export WINEPREFIX="$folder/prefix" WINEDEBUG=-all WINEPATH="Z:${folder//\//\\}\\libraries"
# std asks for this library of Windows 10, which older wines do not have.
cat > "$folder/random.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
  return SystemFunction036(data, (ULONG)size);
}
C
x86_64-w64-mingw32-gcc -shared -O2 "$folder/random.c" -ladvapi32 \
  -o "$folder/libraries/bcryptprimitives.dll"

"$wine" cmd /c ver >/dev/null 2>&1 || unavailable "wine does not run"

export __CARGO_TESTS_ONLY_SRC_ROOT=$sources CARGO_TARGET_DIR=$folder
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$wine
# Where std's sources lie, as its own builds have it.
export RUSTFLAGS="--remap-path-prefix=$(dirname "$sources")=/rustc/std"
# std optimised, as it comes: else to look up names takes ten seconds.
cross=(-Zbuild-std --target x86_64-pc-windows-gnu --config 'profile.dev.package."*".opt-level=2')

test() { cargo +nightly test "${cross[@]}" --locked --all-features "$@"; }
# The first goes through all that std has, and is alone with it.
test --lib -- addresses_all_over_the_standard_library
test --lib -- --skip addresses_all_over_the_standard_library
# Random programs start many threads, which takes long there.
export MOD_ALLOC_TEST_PART=20
test --test windows_tables --test allowed --test attribution --test budget --test counting \
  --test report --test call_sites
test --test model --test attribution_model --test heap_profiles --test recorded

cargo +nightly run -q "${cross[@]}" --manifest-path tests/unwinding/Cargo.toml --locked

.ci/outside.sh "${cross[@]}"
