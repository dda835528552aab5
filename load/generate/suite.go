package generate

// Suite returns one program of each kind, in sizes that load in well under a
// second on hardware, under unique names that do not change.
func Suite() []Case {
	return []Case{
		Stress(1000),
		Loop(1000),
		BPFLoop(1000),
		Subprograms(maxDepth),
		GlobalFunctions(16),
		Iterator(1000),
		StackUse(maxSlots),
		References(maxReferences),
		Large(5000),
		TooComplex(),
		BadAccess(500),
		Invalid(),
		TooLong(),
	}
}
