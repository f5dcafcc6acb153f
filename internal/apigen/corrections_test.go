package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestCorrectedUpstream lets upstream fix what a correction corrects, one at a time: the code stays as it
// is, or the correction is told to be obsolete, and no other correction is in the way.
func TestCorrectedUpstream(t *testing.T) {
	t.Parallel()
	in := presentInput(t)
	before, _ := generate(t, in)
	var corrections []*action
	for _, o := range in.Overlays {
		if strings.HasSuffix(o.Name, "/wire.yaml") || strings.HasSuffix(o.Name, "/answers.yaml") {
			actions, err := readOverlay(o)
			if err != nil {
				t.Fatal(err)
			}
			corrections = append(corrections, actions...)
		}
	}
	if len(corrections) < 100 {
		t.Fatalf("there are %d corrections only", len(corrections))
	}
	if *mutations == 0 { // a sample
		rand.New(rand.NewPCG(7, 8)).Shuffle(len(corrections), func(i, j int) { corrections[i], corrections[j] = corrections[j], corrections[i] })
		corrections = corrections[:3]
	}
	for _, a := range corrections {
		t.Run(fmt.Sprintf("%s:%d", a.file, a.line), func(t *testing.T) {
			root, err := readDocument(in.Document)
			if err != nil {
				t.Fatal(err)
			}
			names := newHoister(root)
			naming, err := readOverlay(in.Overlays[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, action := range append(naming, a) {
				finding, err := action.apply(root, names, &Report{})
				if err != nil {
					t.Fatal(err)
				}
				if finding != nil {
					t.Skipf("it builds upon another one: %v", finding)
				}
			}
			addMissing(root)
			fixed := in
			if fixed.Document, err = yaml.Marshal(root); err != nil {
				t.Fatal(err)
			}
			after, report := generate(t, fixed)
			obsolete := slices.ContainsFunc(report.Findings, func(f Finding) bool {
				return f.File == a.file && f.Line == a.line && f.Outcome == Obsolete
			})
			for path, content := range after {
				if strings.HasSuffix(path, ".go") && !bytes.Equal(content, before[path]) && !obsolete {
					t.Errorf("%s has changed, and the correction is not told to be obsolete", path)
				}
			}
			for _, f := range report.Findings {
				if f.Outcome == Conflict {
					t.Errorf("%s:%d is in the way: %s", f.File, f.Line, f.Advice)
				}
			}
		})
	}
}
