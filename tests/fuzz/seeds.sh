#!/usr/bin/env bash
# seeds.sh: writes the seeds of aarch64 for the fuzz target `eh_frame`, by aarch64-linux-gnu-gcc:
# the `.eh_frame_hdr` and `.eh_frame` of a library of two functions, and before them an address in
# one of the functions, less than 32 KiB before the tables.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cat > "$folder/two.c" <<'C'
void use(char *);
int outer(int n) { char text[200]; use(text); return text[n]; }
int inner(int n) { int sum = 0; while (n) { use((char *)&sum); sum += outer(n--); } return sum; }
C
while read -r name options; do
  # shellcheck disable=SC2086
  aarch64-linux-gnu-gcc $options -fasynchronous-unwind-tables -shared -fPIC -nostdlib \
    -Wl,-z,max-page-size=4096 "$folder/two.c" -o "$folder/two.so"
  python3 - "$folder/two.so" "seeds/eh_frame/$name" <<'PYTHON'
import struct
import sys

image = open(sys.argv[1], "rb").read()
(table,) = struct.unpack_from("<Q", image, 0x28)
size, count, names = struct.unpack_from("<HHH", image, 0x3A)
sections = [struct.unpack_from("<IIQQQQ", image, table + size * at) for at in range(count)]
section = {}
for name, _, _, address, offset, length in sections:
    start = sections[names][4] + name
    section[image[start : image.index(b"\0", start)]] = (address, image[offset : offset + length])
(header, first), (frames, second) = section[b".eh_frame_hdr"], section[b".eh_frame"]
memory = first.ljust(frames - header, b"\0") + second
functions = struct.unpack_from("<I", first, 8)[0]
for at in range(functions):
    function, entry = struct.unpack_from("<ii", first, 12 + 8 * at)
    head = struct.pack("<HHH", (1 << 15) + function + 16, entry, 0)
    open(f"{sys.argv[2]}-{at}", "wb").write(head + memory)
PYTHON
done <<'OPTIONS'
aarch64-framed -O0
aarch64-omitted -O2 -fomit-frame-pointer
aarch64-signed -O2 -mbranch-protection=pac-ret+leaf
OPTIONS
