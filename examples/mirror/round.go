package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/cli"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/fanout"
)

// A mirror is a process that works on the copy.
type mirror struct {
	c        *command.Command
	db       *database
	client   *api.Client
	lists    []uuid.UUID   // custom lists to copy along
	patience time.Duration // after which a row that nothing is heard of is asked for

	owner    string // of tasks
	requests *counter
}

// workers is how many tasks a process has at a time: while one writes, others wait for answers.
const workers = 4

// A counter counts the requests that are sent.
type counter struct {
	base http.RoundTripper
	sent atomic.Int64
}

// RoundTrip implements [http.RoundTripper].
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	return c.base.RoundTrip(r)
}

func newMirror(c *command.Command, db *database, client *api.Client, requests *counter, lists []uuid.UUID, patience time.Duration) *mirror {
	return &mirror{c: c, db: db, client: client, lists: lists, patience: patience, owner: rand.Text(), requests: requests}
}

// once makes the copy what the server says now: a run that was interrupted is finished, and if it
// began before, another one follows.
func (m *mirror) once(ctx context.Context) error {
	asked, err := m.db.now(ctx, m.db)
	if err != nil {
		return err
	}
	for {
		r, err := m.join(ctx)
		if err != nil {
			return err
		}
		if err := m.round(ctx, r); err != nil {
			return err
		}
		if r.began >= asked {
			return nil
		}
	}
}

// forever works on a run whenever there is one, and begins one so much later than the last one, until
// ctx ends. What fails is tried again then.
func (m *mirror) forever(ctx context.Context, every time.Duration) error {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-rest.C:
		}
		due, err := m.isDue(ctx, every)
		if err == nil && due {
			var r run
			if r, err = m.join(ctx); err == nil {
				err = m.round(ctx, r)
			}
			if err == nil {
				err = m.tell(ctx)
			}
		}
		rest.Reset(beat)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			m.c.Note("%s; the next attempt is in %v", m.c.Explain(m.db.say(err)), every)
			rest.Reset(every)
		}
	}
}

// isDue reports whether there is a run to work on, or it is time for one.
func (m *mirror) isDue(ctx context.Context, every time.Duration) (bool, error) {
	now, err := m.db.now(ctx, m.db)
	if err != nil {
		return false, err
	}
	r, ended, ok, err := m.db.lastRun(ctx, m.db)
	// A run that began in the future did so by a clock that was wrong.
	return !ended || !ok || now-r.began >= every.Milliseconds() || r.began > now, err
}

// join returns the run that is on its way, or begins one.
func (m *mirror) join(ctx context.Context) (run, error) {
	for {
		last, ended, _, err := m.db.lastRun(ctx, m.db)
		if err != nil || !ended {
			return last, err
		}
		marks, tasks, err := plan(ctx, m.client, last.marks, m.lists)
		if err != nil {
			return run{}, err
		}
		if err := m.db.begin(ctx, last.id, marks, tasks); err != nil {
			return run{}, err
		}
	}
}

// round works on a run until it has ended.
func (m *mirror) round(ctx context.Context, r run) error {
	bar := m.c.Bar()
	defer bar.Close()
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	beating := make(chan error, 1)
	go func() {
		err := m.keepBeating(working, r, bar)
		if err != nil {
			stop(err)
		}
		beating <- err
	}()
	err := fanout.Each(working, workers, workers, func(ctx context.Context, _ int) error { return m.work(ctx, r) })
	stop(nil)
	if beatErr := <-beating; err == nil {
		err = beatErr
	}
	if err != nil {
		return err
	}
	return m.db.end(ctx, r.id)
}

// keepBeating prolongs the claims of this process until ctx ends.
func (m *mirror) keepBeating(ctx context.Context, r run, bar *cli.Bar) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for ended := false; ; {
		sent := m.requests.sent.Swap(0)
		stage, items, expected, err := m.db.beat(context.WithoutCancel(ctx), r.id, m.owner, sent)
		if err != nil || ended {
			return err
		}
		bar.Show(cli.Progress{What: stageNames[stage], Pages: int(items), TotalPages: int(expected)})
		select {
		case <-ticker.C:
		case <-ctx.Done():
			ended = true
		}
	}
}

// work works on tasks of a run until none is left.
func (m *mirror) work(ctx context.Context, r run) error {
	pause := 10 * time.Millisecond
	for {
		t, ok, left, err := m.db.claim(ctx, r.id, m.owner)
		switch {
		case err != nil:
			return err
		case left == 0:
			return nil
		case !ok: // others have the rest
			select {
			case <-time.After(pause):
				pause = min(2*pause, 200*time.Millisecond)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		}
		pause = 10 * time.Millisecond
		job, known := jobs[t.How]
		if !known {
			return fmt.Errorf("the database has a task %q, which a newer version of this program knows", t.How)
		}
		err = job(m, ctx, r, &t)
		switch {
		case errors.Is(err, errLost):
		case err != nil:
			return errors.Join(err, m.giveBack(ctx, &t))
		}
	}
}

// giveBack releases a task, also when the program ends.
func (m *mirror) giveBack(ctx context.Context, t *task) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease)
	defer cancel()
	if err := m.db.release(ctx, t); !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}
