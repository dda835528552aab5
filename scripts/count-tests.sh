#!/bin/sh
# Sums up the output of go test -v in the file given: tests, subtests included,
# once for each kernel they ran on.
set -eu
count() { grep -c "^ *--- $1: " "$2" || true; }
panics=$(grep -c '^[a-z]*: the guest panicked' "$1" || true)
if [ "$panics" != 0 ]; then
	echo "guests that panicked and were booted once more: $panics"
fi
# What the live tests say of each kernel.
sed -n 's/^ *[a-z_]*_test\.go:[0-9]*: \(kernel .* exact.*\)/\1/p' "$1" | sort -u
echo "$(count PASS "$1") passed, $(count FAIL "$1") failed, $(count SKIP "$1") skipped"
