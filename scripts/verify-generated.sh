#!/bin/sh
# Rebuilds the BPF objects and their Go from this tree's sources, in a copy, and
# fails where they differ from the tree's own.
set -eu
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT INT TERM
cp -R go.mod go.sum gen.go bpf "$copy"
find "$copy/bpf" -name 'verialloc_*_bpfel.*' -delete
(cd "$copy" && go generate .)

differ=$(diff -rq bpf "$copy/bpf") || true
if [ -n "$differ" ]; then
	cat >&2 <<END
verify-generated: the generated files are not those of the sources in bpf/, as
$(clang-19 --version | head -n 1) builds them:
$differ
Run make generate, and commit what it changes.
END
	exit 1
fi
echo "verify-generated: bpf/ holds what its sources give"
