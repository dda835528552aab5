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
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package" || code=1
	done
done
exit $code
