#!/bin/bash
# go test -v, with its output also in $TEST_LOG. A run in which a package has
# tests and none of them ran is a failure.
#
# A guest whose kernel panicked is booted once more, and said to: one emulated boot
# of 6.19 died with a corrupt stack frame and could not be made to again. The count
# at the end tells of it; a second panic fails.
set -euo pipefail
log=${TEST_LOG:-/dev/null}
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for attempt in 1 2; do
	code=0
	go test -v "$@" 2>&1 | tee "$out" || code=$?
	if [ "$code" = 0 ] || [ "$attempt" = 2 ] || ! grep -q '^ *vm: Kernel panic' "$out"; then
		break
	fi
	echo 'gotest: the guest panicked: once more' | tee -a "$log"
done
cat "$out" >>"$log"
if [ "$code" = 0 ] && grep -q 'no tests to run' "$out"; then
	echo "gotest: no test ran: go test $*" >&2
	exit 1
fi
exit "$code"
