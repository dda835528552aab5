#!/bin/bash
# Runs "vm run ...", and once more where the guest's kernel panicked: gotest.sh tells why,
# and does the same for go test, whose exit code does not tell of it.
set -euo pipefail
panicked=121 # exit code of lab/vm

code=0
"$@" || code=$?
if [ "$code" = "$panicked" ]; then
	echo 'boot: the guest panicked: once more' | tee -a "${TEST_LOG:-/dev/null}"
	exec "$@"
fi
exit "$code"
