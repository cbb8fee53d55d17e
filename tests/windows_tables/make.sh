#!/usr/bin/env bash
# Makes the tables anew, and the reference's reading of them: `make.sh COMMAND`, where COMMAND runs
# a Windows program (wine64). Needs gcc-mingw-w64-x86-64 and LLVM's assembler.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
llvm-mc --triple x86_64-pc-windows-gnu -filetype=obj odd.s -o "$work/odd.o"
x86_64-w64-mingw32-gcc -O1 reference.c -o "$work/reference.exe"
for level in O0 O2; do
  x86_64-w64-mingw32-gcc -$level -shared -nostdlib -ffreestanding \
    -Wl,--entry=leaf,-s,--no-insert-timestamp tables.c "$work/odd.o" -lgcc -o $level.dll
  "$@" "$work/reference.exe" $level.dll | tr -d '\r' > $level.txt
done
