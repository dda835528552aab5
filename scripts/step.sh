#!/bin/bash
# Runs one step of the tests.
#
#   scripts/step.sh NAME COMMAND [ARG]...
#
# The output is in build/steps/NAME.log; build/steps.log gets a line with what the step
# took and how many tests it ran. With STEPS=quiet the terminal gets one line at the
# start, one at the end, and the whole log of a step that failed; otherwise it gets all.
#
# A step whose guest died of the emulator or of a starved host is run once more, and
# summary.sh says so. A guest that oopsed is not: the tracer may be the cause. With
# SMP=1, for guests of two CPUs, a guest that ran into its limit ahead of its first test
# is booted once more as well: one of 7.3 did, with the first CPU at work and the second
# idle, and the next boot passed. The cause is not known. A test that hangs has failed.
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
again=0
code=0
run "$@" || code=$?
case $code in
"$emulator" | "$starved" | "$panic") again=1 ;;
"${SMP:+$timeout}") grep -q '^=== RUN ' "$log" || again=1 ;;
esac
if [ "$again" = 1 ]; then
	mv "$log" "build/steps/$name.died"
	say "$(tail -n 1 "build/steps/$name.died"): once more"
	code=0
	run "$@" || code=$?
fi
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
