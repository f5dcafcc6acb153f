package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

const (
	// overlap is how far before its mark a run looks for changes: what is written on the server is not
	// found at once.
	overlap = time.Hour
	// part is how many items of a list make a task in the first copy. The server shows 10,000 at once.
	part = 9900
)

// Stages of a run. What a task refers to is fetched in a later one.
const (
	stageLists = iota + 1
	stageChecks
	stageTitles
	stageChapters
	stageOthers
	stageStatistics
)

var stageNames = map[int]string{
	stageLists: "titles and chapters", stageChecks: "what is still there", stageTitles: "other titles",
	stageChapters: "their chapters", stageOthers: "authors, groups, covers", stageStatistics: "statistics",
}

// lists are those that say what has changed since a time.
func lists(client *api.Client) map[string]list {
	return map[string]list{"manga": mangaList{client}, "chapter": chapterList{client: client}, "future": chapterList{client, true}}
}

// plan asks the server how new it is, and divides a run into tasks. Where a list has no mark from
// the last run, all of it is copied.
func plan(ctx context.Context, client *api.Client, last map[string]string, wantedLists []uuid.UUID) (marks map[string]string, tasks []task, err error) {
	marks = map[string]string{}
	tasks = []task{{name: "tags", stage: stageLists, work: work{How: "tags"}}}
	for _, id := range wantedLists {
		tasks = append(tasks, task{name: "list " + id.String(), stage: stageLists, work: work{How: "custom list", From: id.String()}})
	}
	for name, l := range lists(client) {
		newest, err := l.changed(ctx)
		if err != nil {
			return nil, nil, err
		}
		if mark, ok := newestOf(newest); ok {
			marks[name] = mark
		}
		since := last[name]
		if since != "" {
			tasks = append(tasks, listTask(work{How: "list", Of: name, Since: since}, 0))
			continue
		}
		parts, err := divide(ctx, l, name)
		if err != nil {
			return nil, nil, err
		}
		tasks = append(tasks, parts...)
	}
	for name, all := range recent {
		var newest []item
		for one, err := range all(ctx, client) {
			if err != nil {
				return nil, nil, err
			}
			if newest = append(newest, one); len(newest) == 100 {
				break
			}
		}
		if mark, ok := newestOf(newest); ok {
			marks[name] = mark
		}
		if last[name] != "" {
			tasks = append(tasks, task{name: "recent " + name, stage: stageLists, work: work{How: "recent", Of: name, Since: last[name]}})
		}
	}
	for _, of := range []string{"manga", "chapter"} {
		tasks = append(tasks, checks(stageChecks, of)...)
	}
	tasks = append(tasks, wantedTask(stageTitles, "manga", last["manga"]), wantedTask(stageChapters, "chapter", ""))
	for _, of := range []string{"author", "scanlation_group", "cover"} {
		tasks = append(append(tasks, wantedTask(stageOthers, of, "")), checks(stageOthers, of)...)
	}
	tasks = append(tasks, task{name: "statistics", stage: stageStatistics, work: work{How: "statistics"}})
	return marks, tasks, nil
}

// newestOf is the mark of a list. A time that lies ahead is not believed: it would hide all changes
// until then.
func newestOf(items []item) (string, bool) {
	for _, one := range items {
		if one.updated.Before(time.Now().Add(24 * time.Hour)) {
			text, ok := moment(one.updated).(string)
			return text, ok
		}
	}
	return "", false
}

func wantedTask(stage int, of, since string) task {
	return task{name: "wanted " + of, stage: stage, work: work{How: "wanted", Of: of, Since: since}}
}

func listTask(w work, expected int64) task {
	return task{name: fmt.Sprintf("%s from %s", w.Of, w.From), stage: stageLists, work: w, expected: expected}
}

// divide divides a list that is copied as a whole by the times of creation.
func divide(ctx context.Context, l list, name string) ([]task, error) {
	var tasks []task
	from := ""
	for {
		next, left, err := l.at(ctx, since(from, time.Second), nil, part)
		if err != nil {
			return nil, err
		}
		to := ""
		if len(next) > 0 {
			to, _ = moment(next[0].created).(string)
		}
		if to == "" || to <= from {
			return append(tasks, listTask(work{How: "list", Of: name, From: from}, int64(left))), nil
		}
		tasks = append(tasks, listTask(work{How: "list", Of: name, From: from, To: to}, part))
		from = to
	}
}

// since is a time so much before one of the database, nil for none.
func since(text string, before time.Duration) *api.DateTime {
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return nil
	}
	return api.Since(t.Add(-before))
}

// checks divides the rows of a table by their ids, so that several workers can look after them.
func checks(stage int, of string) []task {
	var tasks []task
	bounds := []string{"", "4", "8", "c", ""}
	for i, from := range bounds[:len(bounds)-1] {
		w := work{How: "check", Of: of, From: from, To: bounds[i+1]}
		tasks = append(tasks, task{name: fmt.Sprintf("check %s from %s", of, from), stage: stage, work: w})
	}
	return tasks
}

// rangeOf is a condition on the ids of a check, with bounds that both databases take.
func rangeOf(w work) (from, to string) {
	bound := func(first string, otherwise string) string {
		if first == "" {
			return otherwise
		}
		return first + "0000000-0000-0000-0000-000000000000"
	}
	return bound(w.From, uuid.Nil.String()), bound(w.To, uuid.Max.String())
}

// allOf are the names of the lists that are copied anew where too much has changed.
func fullTasks(ctx context.Context, client *api.Client, names ...string) ([]task, error) {
	var tasks []task
	for name, l := range lists(client) {
		if slices.Contains(names, name) {
			parts, err := divide(ctx, l, name)
			if err != nil {
				return nil, err
			}
			for i := range parts {
				parts[i].name += ", all"
			}
			tasks = append(tasks, parts...)
		}
	}
	return tasks, nil
}
