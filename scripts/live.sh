#!/bin/bash
# Runs the tests of packages in one guest, from the test binaries in build/tests.
#
#   scripts/live.sh KERNEL [FLAG OF "vm run"]... -- PACKAGE[:REGEXP]... [-- TEST FLAG...]
#
# A package is a directory of the module; of one with a REGEXP only the tests that it
# matches are run. The output is that of go test -v, package by package. The time limit
# is the guest's own, not that of go test: lab/vm tells a guest that starves from one
# that hangs, and has the tests print their goroutines.
set -euo pipefail
kernel=$1
shift
flags=() packages=()
while [ "$1" != -- ]; do
	flags+=("$1")
	shift
done
shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	packages+=("$1")
	shift
done
shift || true # what is left are the flags of the tests

# The guest has the tests where the host has them.
top=$PWD
for package in "${packages[@]}"; do
	dir=$top/${package%%:*}
	binary=$top/build/tests/$(basename "$dir").test
	flags+=(--file "$binary:$binary" --file "$dir:$dir")
done

# shellcheck disable=SC2016 # the guest expands it
exec build/vm run --kernel "$kernel" --env VERIALLOC_LIVE=1 --file "$top/README.md:$top/README.md" --file "$top/docs:$top/docs" "${flags[@]}" -- sh -c '
	top=$1 packages=$2
	shift 2
	code=0
	for package in $packages; do
		dir=${package%%:*} run=.
		case $package in *:*) run=${package#*:} ;; esac
		cd "$top/$dir"
		start=$(date +%s) result=ok
		"$top/build/tests/${dir##*/}.test" -test.v -test.timeout=0 -test.run="$run" "$@" || result=FAIL code=1
		printf "%s\t%s\t%ds\n" "$result" "$dir" $(($(date +%s) - start))
	done
	exit $code
' sh "$top" "${packages[*]}" "$@"
