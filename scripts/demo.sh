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

# What is run on either kernel, with verialloc as $0.
demo='
set -e
echo "\$ verialloc trace --histogram -- verialloc stress --repeat 3"
"$0" trace --histogram -- "$0" stress --repeat 3 2>&1
echo
echo "\$ verialloc trace --by type -- verialloc stress"
"$0" trace --by type -- "$0" stress 2>/dev/null
'

echo "== On this machine, Linux $(uname -r)"
as_root sh -c "$demo" "$verialloc"
if as_root "$verialloc" trace -o jsonl --duration 1ms 2>/dev/null | head -n 1 |
	grep -v '"kind":"latency","state":"attached"' | grep -q .; then
	cat <<END

== This kernel permits no latency probes: ./verialloc doctor says why. The same on
== a stock Debian kernel, Linux $kernel, in QEMU. Times are those of an emulated CPU.
END
	"$(dirname "$0")/setup.sh" vm
	"$vm" run --kernel "$kernel" -- sh -c "$demo" verialloc
fi
