#!/bin/bash
# A command that boots a guest, once more where the guest's kernel panicked: as
# gotest.sh does for go test, and why.
set -euo pipefail
panicked=121 # exit code of lab/vm

code=0
"$@" || code=$?
if [ "$code" = "$panicked" ]; then
	echo 'boot: the guest panicked: once more' | tee -a "${TEST_LOG:-/dev/null}"
	exec "$@"
fi
exit "$code"
