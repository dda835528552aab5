// Command cost measures what tracing a verification costs: verialloc's, that of empty
// programs on the same hooks, which is the least there can be, and other tracers'.
//
//	cost measure [--load NAME]... [--variant NAME]...
//	cost guard --limit RATIO
//	cost report --into DOCUMENT FILE...
//
// measure runs in a guest whose time counts instructions (lab/vm run --icount) and
// writes JSON Lines. All variants of a load run in one boot, so that their ratios hold.
// report renders such files as the tables of docs/performance.md. "make bench-cost"
// does all of it. guard measures verialloc over empty programs alone, for "make test".
package main
