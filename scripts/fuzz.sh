#!/bin/sh
# Runs each fuzz target of the module for $FUZZTIME. One that fails stops no other.
set -eu
cd "$(dirname "$0")/.."
code=0
packages=$(go list ./...) # set -e sees no failure in the list of a for
for package in $packages; do
	names=$(go test -list '^Fuzz' "$package") || {
		echo "$names" >&2
		exit 1
	}
	for target in $(echo "$names" | grep '^Fuzz' || true); do
		echo "fuzz: $package $target"
		# By number, not by time: go test calls a worker that a busy machine holds up while it
		# minimizes an input hung, and fails.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 20x "$package" || code=1
	done
done
exit $code
