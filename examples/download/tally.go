package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A state is what came of a chapter.
type state string

const (
	stateListed    state = "listed"
	stateSaved     state = "saved"     // fetched by this run
	stateMended    state = "mended"    // there before, and put right by this run
	stateThere     state = "there"     // there before, and right
	stateMissing   state = "missing"   // not there, or not all of it
	stateElsewhere state = "elsewhere" // on another site
	stateGone      state = "gone"      // MangaDex does not have it any more
	statePruned    state = "pruned"    // gone, and removed from the folder
)

// A result is what is told of a chapter.
type result struct {
	ID       uuid.UUID `json:"id"`
	State    state     `json:"state"`
	Path     string    `json:"path,omitempty"`
	Why      string    `json:"why,omitempty"` // of what is not as it should be
	Volume   string    `json:"volume,omitempty"`
	Number   string    `json:"number,omitempty"`
	Title    string    `json:"title,omitempty"`
	Language string    `json:"language"`
	Groups   []string  `json:"groups"`
	Pages    int       `json:"pages"`
	Readable time.Time `json:"readableAt,omitzero"`
	Versions []version `json:"versions,omitempty"` // the others of the same chapter
}

// A version is another version of a chapter, and why it is not the chosen one.
type version struct {
	ID     uuid.UUID      `json:"id"`
	Groups []string       `json:"groups"`
	Behind reading.Reason `json:"behind,omitempty"`
	Place  reading.Place  `json:"place"`
	Pages  int            `json:"pages"`
}

func describe(w wanted) result {
	a := &w.Attributes
	r := result{
		ID: w.ID, Volume: w.entry.Volume.String(), Number: w.entry.Number.String(), Language: a.TranslatedLanguage,
		Groups: groupsOf(w.Version), Pages: a.Pages, Readable: a.ReadableAt,
	}
	if a.Title != nil {
		r.Title = reading.Line(*a.Title)
	}
	for i := range w.entry.Versions {
		if v := &w.entry.Versions[i]; v.ID != w.ID {
			r.Versions = append(r.Versions, version{v.ID, groupsOf(v), v.Behind, reading.PlaceOf(&v.Chapter), v.Attributes.Pages})
		}
	}
	return r
}

func groupsOf(v *reading.Version) []string {
	names := []string{}
	for _, group := range v.Relationships.Groups() {
		if group.Attributes != nil {
			names = append(names, reading.Line(group.Attributes.Name))
		}
	}
	return names
}

// reasons are those of package reading for people.
var reasons = map[reading.Reason]string{
	reading.ReasonPlace: "it cannot be read on MangaDex", reading.ReasonAvoided: "its group is avoided", reading.ReasonPreferred: "another group is preferred",
	reading.ReasonKept: "the other is there already", reading.ReasonMost: "the group of the other has more chapters", reading.ReasonOlder: "the other is newer", reading.ReasonSame: "they are alike",
}

// listChapters prints what would be fetched.
func listChapters(c *command.Command, how saving, chosen choice) error {
	if chosen.err != nil {
		return chosen.err
	}
	for _, w := range chosen.wanted {
		r := describe(w)
		r.State = stateListed
		if how.json {
			printJSON(c, r)
			continue
		}
		c.Print("%s  %s, %s", w.ID, chosen.FileName(w.ID), extent(w.Version))
		if w.beside {
			continue
		}
		for _, v := range r.Versions {
			why := reasons[v.Behind]
			if v.Behind == "" {
				why = "the chosen one"
			}
			c.Print("    also %s by %s, %d pages: %s", v.ID, orNobody(v.Groups), v.Pages, why)
		}
	}
	return nil
}

// extent is how many pages there are, or why there are none here.
func extent(v *reading.Version) string {
	switch reading.PlaceOf(&v.Chapter) {
	case reading.Elsewhere:
		return "on another site"
	case reading.Nowhere:
		return "taken down, or without pages"
	}
	return fmt.Sprintf("%d pages", v.Attributes.Pages)
}

func orNobody(groups []string) string {
	if len(groups) == 0 {
		return "no group"
	}
	return strings.Join(groups, ", ")
}

func printJSON(c *command.Command, r result) {
	line, err := json.Marshal(r)
	if err == nil {
		fmt.Fprintf(c.Stdout, "%s\n", line)
	}
}

// A tally counts what has come of the chapters so far.
type tally struct {
	c       *command.Command
	json    bool
	renamed int
	bar     *cli.Bar

	mu     sync.Mutex
	begun  []*outcome
	all    int // pages of all chapters
	counts map[state]int
	failed []string // what is missing, and why
	notes  []string
}

func newTally(c *command.Command, json bool, renamed int) *tally {
	return &tally{c: c, json: json, renamed: renamed, bar: c.Bar(), counts: map[state]int{}}
}

// An outcome is how far a chapter has come, and what came of it.
type outcome struct {
	tally *tally
	name  string // volume and number
	over  bool
	athome.Progress
	result
}

func (t *tally) begin(l *reading.List, w wanted) *outcome {
	o := &outcome{tally: t, result: describe(w)}
	o.name, _, _ = strings.Cut(l.FileName(w.ID), " [") // volume, number and title
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun = append(t.begun, o)
	return o
}

// report takes note of how far the chapter has come.
func (o *outcome) report(now athome.Progress) {
	t := o.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	o.Progress = now
	t.show()
}

// show shows how far the chapters have come. The tally is locked.
func (t *tally) show() {
	whole := cli.Progress{TotalPages: t.all}
	var running []string
	for _, o := range t.begun {
		whole.Pages, whole.Bytes = whole.Pages+o.Progress.Pages, whole.Bytes+o.Progress.Bytes
		if !o.over {
			running = append(running, o.name)
		}
	}
	whole.What = strings.Join(running, ", ")
	t.bar.Show(whole)
}

// finish takes note of what came of the chapter, and why it is not as it should be.
func (o *outcome) finish(s state, path string, why error) {
	t := o.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	o.over, o.State, o.Path = true, s, path
	t.counts[s]++
	if why != nil {
		o.Why = oneLine(why)
		line := o.name + ": " + o.Why
		if s == stateMissing {
			t.failed = append(t.failed, line)
		} else {
			t.notes = append(t.notes, line)
		}
	}
	switch {
	case t.json:
		line, err := json.Marshal(o.result)
		if err == nil {
			t.bar.Print(t.c.Stdout, string(line))
		}
	case path != "" && s != stateMissing:
		t.bar.Print(t.c.Stdout, path)
	}
}

// skip takes the chapter out of those that are shown as running.
func (o *outcome) skip() {
	o.tally.mu.Lock()
	defer o.tally.mu.Unlock()
	o.over = true
}

// oneLine is the first line of an error, which names the first page that is missing.
func oneLine(err error) string {
	first, rest, more := strings.Cut(strings.TrimPrefix(err.Error(), "athome: "), "\n")
	if more {
		first += fmt.Sprintf(" (and %d more)", 1+strings.Count(rest, "\n"))
	}
	return reading.Line(first)
}

// end tells how the run ended, and returns an error if something is missing.
func (t *tally) end(all int) error {
	for _, note := range t.notes {
		t.c.Note("%s", note)
	}
	for _, line := range t.failed[:max(0, len(t.failed)-1)] {
		t.c.Note("%s", line)
	}
	done := t.counts[stateSaved] + t.counts[stateMended] + t.counts[stateThere]
	if done == 0 && len(t.failed) == 0 {
		t.c.Unfinished = ""
		return fmt.Errorf("none of these chapters can be read on MangaDex")
	}
	summary := fmt.Sprintf("chapters saved: %d", t.counts[stateSaved])
	for _, part := range []struct {
		what  string
		count int
	}{{"there before", t.counts[stateThere]}, {"mended", t.counts[stateMended]}, {"renamed", t.renamed}, {"missing", len(t.failed)}, {"gone", t.counts[stateGone]}, {"pruned", t.counts[statePruned]}, {"elsewhere", t.counts[stateElsewhere]}} {
		if part.count > 0 {
			summary += fmt.Sprintf(", %s: %d", part.what, part.count)
		}
	}
	t.c.Note("%s", summary)
	if len(t.failed) > 0 {
		return fmt.Errorf("%d of %d chapters are not complete: %s", len(t.failed), all, t.failed[len(t.failed)-1])
	}
	return nil
}

// tellGone tells which chapters in the folder MangaDex does not have any more, and removes them if that is
// wanted.
func (j *job) tellGone(languages []string) error {
	for _, id := range j.gone(j.list, languages) {
		r := j.record(id)
		told := result{ID: id, State: stateGone, Path: filepath.Join(j.dir, r.Name), Language: r.Language, Groups: []string{}, Why: "MangaDex does not have it any more; it stays here, and -prune removes it"}
		if j.prune {
			told.State, told.Why = statePruned, "MangaDex does not have it any more"
			if err := j.remove(id); err != nil {
				return err
			}
		}
		if j.json {
			printJSON(j.tally.c, told)
		}
		j.tally.mu.Lock()
		j.tally.counts[told.State]++
		j.tally.notes = append(j.tally.notes, r.Name+": "+told.Why)
		j.tally.mu.Unlock()
	}
	return nil
}
