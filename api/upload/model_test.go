package upload_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/mangadex-go/mangadex/api/upload"
)

var troubles = []fault{
	{}, {}, {}, {}, {Drop: true}, {After: true, Drop: true}, {Late: late}, {HTML: true}, {Status: 503}, {Status: 429},
	{RefusePages: 2}, {After: true, Drop: true, RefusePages: 9},
}

// TestAnyCourse adds, removes and reorders pages at random while requests fail at random, and now and
// then goes on in another program. What is published is what a list without a server would hold.
func TestAnyCourse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		faults := rapid.SliceOfN(rapid.IntRange(0, len(troubles)-1), 64, 64).Draw(r, "faults")
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"add", "add", "remove", "reorder", "crash"}), 1, 8).Draw(r, "steps")
		numbers := rapid.SliceOfN(rapid.IntRange(0, 1<<20), 64, 64).Draw(r, "numbers")
		number := func(below int) int { // the next of the numbers
			n := numbers[0]
			numbers = append(numbers[1:], n/7)
			return n % below
		}
		synctest.Test(t, func(t *testing.T) {
			course(t, r, faults, steps, number)
		})
	})
}

func course(t *testing.T, r *rapid.T, faults []int, steps []string, number func(int) int) {
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	srv := start(t)
	served := 0
	srv.fault = func(op string, _ int) fault {
		switch op {
		case sendPages, "DeleteUploadedPage", "DeleteUploadedPages":
			served++
			f := troubles[faults[served%len(faults)]]
			if op != sendPages {
				f.RefusePages = 0
			}
			return f
		case getSession:
			served++
			if f := troubles[faults[served%len(faults)]]; f.Drop && !f.After || f.Status != 0 {
				return f
			}
		}
		return fault{}
	}
	client := srv.client(t)
	session, err := upload.Begin(ctx, client, title, nil)
	for err != nil {
		session, err = upload.Begin(ctx, client, title, nil)
	}
	var want []string
	next := 1
	// again repeats a step until the faults let it through, as a user would.
	again := func(step func() error) {
		for range 50 {
			if err := step(); err == nil {
				return
			}
		}
		r.Fatal("a step fails again and again")
	}
	for _, step := range steps {
		switch step {
		case "add":
			var added []string
			for range 1 + number(14) {
				added = append(added, fmt.Sprintf("%d.png", next))
				next++
			}
			pages := upload.Folder(folder(added...))
			again(func() error { return session.AddPages(ctx, pages) })
			want = append(want, added...)
		case "remove":
			if len(want) == 0 {
				continue
			}
			at := number(len(want))
			gone := slices.Clone(want[at:min(len(want), at+1+number(3))])
			want = slices.DeleteFunc(want, func(n string) bool { return slices.Contains(gone, n) })
			for _, name := range gone {
				again(func() error {
					if !slices.Contains(names(session.Pages()), name) {
						return nil
					}
					return session.Remove(ctx, name)
				})
			}
		case "reorder":
			for i := range want {
				j := i + number(len(want)-i)
				want[i], want[j] = want[j], want[i]
			}
			must(t, session.Reorder(want...))
		case "crash":
			time.Sleep(late)
			synctest.Wait()
			again(func() error {
				_, err := upload.Begin(ctx, client, title, []uuid.UUID{group})
				var open *upload.OpenError
				if !errors.As(err, &open) {
					return err
				}
				session, err = open.Resume()
				return err
			})
			for _, name := range names(session.Pages()) {
				if !slices.Contains(want, name) { // removed, and come in late
					again(func() error { return session.Remove(ctx, name) })
				}
			}
			must(t, session.Reorder(want...))
		}
	}
	if len(want) == 0 {
		must(t, session.Close())
		return
	}
	time.Sleep(late)
	synctest.Wait()
	again(func() error {
		_, err := session.Commit(ctx, draft, upload.TermsAccepted)
		return err
	})
	srv.published(t, want...)
}
