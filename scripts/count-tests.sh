#!/bin/sh
# Sums up the output of go test -v in the file given: tests, subtests included,
# once for each kernel they ran on.
set -eu
count() { grep -c "^ *--- $1: " "$2" || true; }
echo "$(count PASS "$1") passed, $(count FAIL "$1") failed, $(count SKIP "$1") skipped"
