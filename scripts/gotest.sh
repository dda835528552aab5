#!/bin/bash
# go test -v, with its output also in $TEST_LOG. A run in which a package has
# tests and none of them ran is a failure.
set -euo pipefail
log=${TEST_LOG:-/dev/null}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

code=0
go test -v "$@" 2>&1 | tee "$out" || code=$?
cat "$out" >>"$log"
if [ "$code" = 0 ] && grep -q 'no tests to run' "$out"; then
	echo "gotest: no test ran: go test $*" >&2
	exit 1
fi
exit "$code"
