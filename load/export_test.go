package load

// Mount is where the cgroup2 file system is mounted.
func (g *Cgroup) Mount() string { return g.mount }
