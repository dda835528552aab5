#!/bin/sh
# Traces the loading of the stress program: on this machine's kernel and, where
# that does not permit latency probes, on a stock kernel in QEMU as well.
#
#   scripts/demo.sh VERIALLOC VM KERNEL
set -eu
verialloc=$1 vm=$2 kernel=$3

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# What is run on either kernel, with verialloc as $0. What the loader itself prints
# goes elsewhere, so that it does not stand in the table.
demo='
set -e
echo "\$ verialloc trace --histogram --output table -- verialloc stress --repeat 3 >/dev/null; cat table"
table=$(mktemp)
"$0" trace --histogram --output "$table" -- "$0" stress --repeat 3 2>&1 >/dev/null
cat "$table"
echo
echo "\$ verialloc trace --by type --output table -- verialloc stress >/dev/null; cat table"
"$0" trace --by type --output "$table" -- "$0" stress >/dev/null 2>&1
cat "$table"
rm "$table"
'

echo "== On this machine, Linux $(uname -r)"
as_root sh -c "$demo" "$verialloc"
if as_root "$verialloc" trace -o jsonl --duration 1ms 2>/dev/null | head -n 1 |
	grep -v '"kind":"latency","state":"attached"' | grep -q .; then
	cat <<END

== This kernel permits no latency probes: ./verialloc doctor says why. The same on
== a stock Debian kernel, Linux $kernel, in QEMU. Times are those of an emulated CPU.
== The first time this downloads QEMU, Debian's index and the kernel, some 200 MB, and
== takes one to five minutes; after that, half a minute.
END
	"$(dirname "$0")/setup.sh" vm
	"$vm" fetch "$kernel" >/dev/null
	echo "== Booting Linux $kernel"
	"$vm" run --kernel "$kernel" -- sh -c "$demo" verialloc
fi
