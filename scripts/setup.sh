#!/bin/sh
# Installs what a task needs and this machine lacks, from Debian's archive.
#
#   scripts/setup.sh build    what regenerates and checks the BPF objects
#   scripts/setup.sh race     what the race detector is linked with
#   scripts/setup.sh vm       what boots kernels in QEMU
#   scripts/setup.sh corpus   what compiles the kernel's own BPF programs
#
# When nothing is missing it only asks dpkg.
set -eu

packages=
for task; do
	case $task in
	build) packages="$packages clang-19 clang-format-19 llvm-19 libbpf-dev" ;;
	race) packages="$packages gcc libc6-dev" ;;
	vm) packages="$packages qemu-system-x86 busybox-static xz-utils zstd" ;;
	corpus) packages="$packages clang-19 llvm-19 libc6-dev python3 xz-utils" ;;
	*)
		echo "setup: $task: want build, race, vm or corpus" >&2
		exit 2
		;;
	esac
done

if ! command -v go >/dev/null; then
	echo "setup: go is missing: install Go, $(sed -n 's/^go /version /p' "$(dirname "$0")/../go.mod") or newer" >&2
	exit 1
fi
if ! command -v apt-get >/dev/null; then
	echo "setup: this machine has no apt-get: see that it has what these Debian packages hold:$packages" >&2
	exit 0
fi

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null) || status=
	case $status in
	installed*) ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ]; then
	exit 0
fi

sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: run as root, or install sudo: installing packages takes root" >&2
		exit 1
	fi
	sudo=sudo
fi
mkdir -p build
log=build/setup.log

# quietly runs a program with its output in the log alone, unless it fails.
quietly() {
	"$@" </dev/null >>"$log" 2>&1 && return
	echo "setup: $* failed; the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 1
}

echo "setup: reading the package lists" >&2
quietly $sudo apt-get update -q
size=$($sudo apt-get install --assume-no --no-install-recommends $missing 2>/dev/null | sed -n 's/^Need to get \(.*\) of archives.*/, \1 to download/p' || true)
echo "setup: installing$missing$size; the log is $log" >&2
quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
