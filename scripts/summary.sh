#!/bin/sh
# Sums up the steps that step.sh ran: what each took, which were run again, why
# tests were skipped, and on the last line the tests, subtests included, once for each
# kernel they ran on.
set -eu
sort -k 2,2 -nr build/steps.log | awk '
	BEGIN { format = "%-28s %8s %8s %7s %7s %8s\n"; printf format, "step", "seconds", "of CPU", "passed", "failed", "skipped" }
	{ printf format, $1, $2, $3, $4, $5, $6; seconds += $2; cpu += $3 }
	END { printf format, "sum", seconds, cpu, "", "", "" }'

# What the live tests say about each kernel.
cat build/steps/*.log | sed -n 's/^ *[a-z_]*_test\.go:[0-9]*: \(kernel .* exact.*\)/\1/p' | sort -u

# go test -v prints the reason ahead of the verdict.
skips=$(awk '
	FNR == 1 { reason = "" }
	/^ *--- SKIP: / { sub(/^ *[a-z_]*\.go:[0-9]*: /, "", reason); print reason ": " $3 }
	{ reason = $0 }' build/steps/*.log | sort | uniq -c)
if [ -n "$skips" ]; then
	echo "skipped, and why:"
	echo "$skips"
fi
awk '$7 { printf "run again %d times, as its guest died of the emulator or of a starved host, or hung ahead of its first test: %s\n", $7, $1 }' build/steps.log
awk '{ p += $4; f += $5; s += $6 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' build/steps.log
