package main

import (
	"fmt"
	"strings"
)

// An Outcome is what became of an action that was not simply applied.
type Outcome string

const (
	Obsolete  Outcome = "obsolete"  // the document says so itself
	Unmatched Outcome = "unmatched" // what it changes is gone or has moved
	Conflict  Outcome = "conflict"  // what it changes has been changed in another way; it was left
)

// A Finding is an action of the overlay that was not simply applied, and what to do.
type Finding struct {
	File    string
	Line    int
	Target  string
	Outcome Outcome
	Advice  string
}

// A Report is what a maintainer has to know of a generation.
type Report struct {
	Findings []Finding
	Missing  []string // schemas that corrections refer to and the document has not
}

func (a *action) finding(outcome Outcome, advice string) *Finding {
	return &Finding{File: a.file, Line: a.line, Target: a.Target, Outcome: outcome, Advice: advice}
}

// String is the report as lines of text.
func (r *Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s:%d: %s: %s: %s\n", f.File, f.Line, f.Outcome, f.Target, f.Advice)
	}
	for _, name := range r.Missing {
		fmt.Fprintf(&b, "there is no schema %s, which a correction refers to: it is taken for anything\n", name)
	}
	return b.String()
}
