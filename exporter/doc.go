// Package exporter is the roof of what goes out. A feed, for programs, is a package
// under exporter/feed; a view, for people, is one under exporter/view. Each has the
// dependencies that it needs, and none that only a sibling needs.
//
// All of them are functions of records and an io.Writer: they touch no kernel, and
// their only errors are the writer's. A Sink of theirs is for one goroutine at a time.
package exporter
