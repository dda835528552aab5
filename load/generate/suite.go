package generate

// Suite returns one program of each kind. On hardware each loads in much less than a
// second. Their names are unique and do not change.
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
