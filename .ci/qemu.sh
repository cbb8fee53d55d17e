# . .ci/qemu.sh ARCH: makes programs of that kind of Linux run here, under qemu's emulation of a
# process, also those that tests start, and tells Cargo how to make and run them. Sets `build`, the
# arguments for that. Installs what it needs where it may, and exits with 3 where that cannot be
# had. A program of qemu's that is registered once stays so until the machine starts anew.
arch=$1
unavailable() { echo "$arch: $*" >&2; exit 3; }

sources=$(.ci/std-sources.sh) || exit 3
.ci/install.sh qemu-user-static "gcc-$arch-linux-gnu" || exit 3
runner="qemu-$arch-static -cpu max"

formats=/proc/sys/fs/binfmt_misc
[ -e $formats/register ] || mount -t binfmt_misc none $formats 2>/dev/null \
  || unavailable "binfmt_misc cannot be mounted"
if [ ! -e "$formats/qemu-$arch" ]; then
  # Of an ELF file: how numbers are written, what may differ between programs, and the processor.
  case $arch in
    aarch64) order='\x02\x01\x01' kind='\x02\x00\xb7\x00' any_kind='\xfe\xff\xff\xff' ;;
    s390x) order='\x02\x02\x01' kind='\x00\x02\x00\x16' any_kind='\xff\xfe\xff\xff' ;;
  esac
  rest='\x00\x00\x00\x00\x00\x00\x00\x00' any_rest='\xff\xff\xff\xff\xff\xff\xff\xff'
  magic="\\x7fELF$order\\x00$rest$kind"
  mask="\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00$any_rest$any_kind"
  echo ":qemu-$arch:M::$magic:$mask:$(command -v "qemu-$arch-static"):F" > $formats/register \
    || unavailable "programs of it cannot be registered"
fi

target=$arch-unknown-linux-gnu
variable=CARGO_TARGET_${arch^^}_UNKNOWN_LINUX_GNU
export "${variable}_LINKER=$arch-linux-gnu-gcc" "${variable}_RUNNER=$runner"
export QEMU_LD_PREFIX=/usr/$arch-linux-gnu
export __CARGO_TESTS_ONLY_SRC_ROOT=$sources CARGO_TARGET_DIR=target/$arch
# Where std's sources lie, as its own builds have it; below this folder they would be the user's.
export RUSTFLAGS="--remap-path-prefix=$(dirname "$sources")=/rustc/std"
# std optimised, with lines alone, which an emulator reads much sooner. What is tested is optimised
# a little, too, since it would take minutes.
export CARGO_PROFILE_DEV_DEBUG=line-tables-only
build=(-Zbuild-std --target "$target" --config 'profile.dev.package."*".opt-level=2')
little() { echo "profile.dev.package.$1.opt-level=1"; }
# Reports are compared as text.
unset RUST_BACKTRACE
