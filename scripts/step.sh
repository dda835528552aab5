#!/bin/bash
# Runs one step of the tests.
#
#   scripts/step.sh NAME COMMAND [ARG]...
#
# The output is in build/steps/NAME.log; build/steps.log gets a line with what the step
# took and how many tests it ran. With STEPS=quiet the terminal gets one line at the
# start, one at the end, and the whole log of a step that failed; otherwise it gets all.
#
# A step whose guest died of the emulator or of a starved host is run again, up to twice,
# and summary.sh says so. A guest that oopsed is not: the tracer may be the cause. With
# SMP=1, for guests of two CPUs, a guest that ran into its limit ahead of its first test
# is booted again as well: 1 of 52 boots of 7.3 did, with the first CPU at work and the
# second idle (go doc ./lab/vm). A test that hangs has failed.
#
# A step in which a package has tests and none of them ran has failed.
set -euo pipefail
name=$1
shift

emulator=116 starved=117 panic=121 timeout=122 # exit codes of lab/vm: go doc ./lab/vm

mkdir -p build/steps
log=build/steps/$name.log

say() { flock build/steps/lock echo "test: $name $*"; }

run() {
	local TIMEFORMAT='%R %U %S'
	{
		time if [ "${STEPS:-}" = quiet ]; then
			"$@" >"$log" 2>&1 </dev/null
		else
			"$@" 2>&1 </dev/null | tee "$log"
		fi
	} 2>"build/steps/$name.time"
}

count() { grep -c "^ *--- $1: " "$log" || true; }

say ...
# innocent reports whether the exit code of a run is not the doing of what it tests.
innocent() {
	case $1 in
	"$emulator" | "$starved" | "$panic") return 0 ;;
	"${SMP:+$timeout}") ! grep -q '^=== RUN ' "$log" ;;
	*) return 1 ;;
	esac
}

for again in 0 1 2; do
	code=0
	run "$@" || code=$?
	if [ $again = 2 ] || ! innocent $code; then
		break
	fi
	mv "$log" "build/steps/$name.died$again"
	say "$(tail -n 1 "build/steps/$name.died$again"): again"
done
if [ "$code" = 0 ] && grep -q 'no tests to run' "$log"; then
	echo "step: a package ran no test" >>"$log"
	code=1
fi

read -r real user system <"build/steps/$name.time"
cpu=$(echo "$user $system" | awk '{ printf "%.0f", $1 + $2 }')
passed=$(count PASS) failed=$(count FAIL) skipped=$(count SKIP)
flock build/steps/lock sh -c 'echo "$@" >>build/steps.log' sh \
	"$name" "${real%.*}" "$cpu" "$passed" "$failed" "$skipped" "$again" "$code"

if [ "$code" != 0 ]; then
	if [ "${STEPS:-}" = quiet ]; then
		flock build/steps/lock cat "$log"
	fi
	say "FAILED with exit code $code after ${real%.*} s"
	exit "$code"
fi
say "ok, ${real%.*} s"
