package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A run makes the copy what the server says. It is divided into tasks, which any process may claim;
// a run that nobody has finished is gone on with by the next one.
type run struct {
	id    int64
	began int64             // milliseconds since 1970
	marks map[string]string // how new what there was when it began, by list
}

// A task is claimed by one process at a time. The claim holds for some seconds, and is prolonged as
// long as the process lives. Whoever has lost it can write no more.
type task struct {
	name  string
	stage int
	work
	expected, items int64

	run   int64
	claim int64
}

// work is what a task is about.
type work struct {
	How   string `json:"how"`             // which of the jobs it is
	Of    string `json:"of"`              // list or table
	From  string `json:"from,omitempty"`  // what it begins at: a time of creation, or an id
	To    string `json:"to,omitempty"`    // what it ends before; empty: nowhere
	Since string `json:"since,omitempty"` // of changes; empty: everything
}

const (
	lease = 5 * time.Second // of a claim
	beat  = time.Second     // after which it is prolonged
)

// errLost says that another process has claimed the task.
var errLost = errors.New("another process has taken over")

// lastRun returns the last run, and whether it has ended. There is none at first.
func (d *database) lastRun(ctx context.Context, q queryer) (r run, ended, ok bool, err error) {
	var end sql.NullInt64
	var marks string
	err = q.QueryRowContext(ctx, "SELECT id, began, ended, marks FROM run ORDER BY id DESC LIMIT 1").Scan(&r.id, &r.began, &end, &marks)
	if errors.Is(err, sql.ErrNoRows) {
		return run{}, true, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(marks), &r.marks)
	}
	return r, end.Valid, err == nil, err
}

// begin begins a run with its tasks, unless somebody else has done so since the last one was looked
// at.
func (d *database) begin(ctx context.Context, last int64, marks map[string]string, tasks []task) error {
	text, err := json.Marshal(marks)
	if err != nil {
		return err
	}
	return d.write(ctx, func(tx *transaction) error {
		now, err := d.now(ctx, tx)
		if err != nil {
			return err
		}
		r, ended, _, err := d.lastRun(ctx, tx)
		if err != nil || r.id != last || !ended {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM task"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO run (id, began, beat, marks, requests, items, working) VALUES ($1, $2, $2, $3, 0, 0, 0)", last+1, now, string(text)); err != nil {
			return err
		}
		return addTasks(ctx, tx, last+1, tasks)
	})
}

func addTasks(ctx context.Context, tx *transaction, run int64, tasks []task) error {
	for _, t := range tasks {
		text, err := json.Marshal(t.work)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO task (name, run, stage, work, expected, items, done, owner, claim, lease)
			VALUES ($1, $2, $3, $4, $5, 0, $6, '', 0, 0) ON CONFLICT (name) DO NOTHING`, t.name, run, t.stage, string(text), t.expected, false)
		if err != nil {
			return err
		}
	}
	return nil
}

// claim claims a task of a run. There is none as long as others work on what has to be done before,
// and when the run has ended, which left tells.
func (d *database) claim(ctx context.Context, run int64, owner string) (t task, ok bool, left int, err error) {
	err = d.write(ctx, func(tx *transaction) error {
		now, err := d.now(ctx, tx)
		if err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM task WHERE run = $1 AND done = $2", run, false).Scan(&left); err != nil || left == 0 {
			return err
		}
		var text string
		// A claim that ends in the far future is one by a clock that was wrong.
		err = tx.QueryRowContext(ctx, `SELECT name, stage, work, expected, items, run, claim + 1 FROM task
			WHERE run = $1 AND done = $2 AND stage = (SELECT min(stage) FROM task WHERE run = $1 AND done = $2)
			AND (owner = '' OR lease < $3 OR lease > $4) ORDER BY name LIMIT 1`, run, false, now, now+lease.Milliseconds()).
			Scan(&t.name, &t.stage, &text, &t.expected, &t.items, &t.run, &t.claim)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &t.work)
		}
		if err != nil {
			return err
		}
		ok = true
		_, err = tx.ExecContext(ctx, "UPDATE task SET owner = $1, claim = $2, lease = $3 WHERE name = $4", owner, t.claim, now+lease.Milliseconds(), t.name)
		return err
	})
	return t, ok && err == nil, left, err
}

// progress writes what a task has brought, together with how far it has come. If the claim has been
// lost nothing is written.
func (d *database) progress(ctx context.Context, t *task, items int64, done bool, do func(tx *transaction, now int64) error) error {
	return d.write(ctx, func(tx *transaction) error {
		now, err := d.now(ctx, tx)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "UPDATE task SET items = items + $1, done = $2, lease = $3 WHERE name = $4 AND run = $5 AND claim = $6 AND done = $7",
			items, done, now+lease.Milliseconds(), t.name, t.run, t.claim, false)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("%s: %w", t.name, errLost))
		}
		if do == nil {
			return nil
		}
		return do(tx, now)
	})
}

// release gives a claim back, so that nobody has to wait until it ends.
func (d *database) release(ctx context.Context, t *task) error {
	return d.write(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE task SET owner = '' WHERE name = $1 AND run = $2 AND claim = $3", t.name, t.run, t.claim)
		return err
	})
}

// beat prolongs the claims of a process and notes how many requests it has made. It returns how far
// the run has come.
func (d *database) beat(ctx context.Context, run int64, owner string, requests int64) (stage int, items, expected int64, err error) {
	err = d.write(ctx, func(tx *transaction) error {
		now, err := d.now(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE task SET lease = $1 WHERE owner = $2 AND run = $3 AND done = $4", now+lease.Milliseconds(), owner, run, false); err != nil {
			return err
		}
		// Processes that work at the same time count once, and a time without any does not count.
		if _, err := tx.ExecContext(ctx, `UPDATE run SET requests = requests + $1, beat = $2,
			working = working + CASE WHEN $2 > beat AND $2 - beat < $3 THEN $2 - beat ELSE 0 END WHERE id = $4`, requests, now, lease.Milliseconds(), run); err != nil {
			return err
		}
		var first sql.NullInt64
		row := tx.QueryRowContext(ctx, `SELECT coalesce(sum(items), 0), coalesce(sum(CASE WHEN done OR expected < items THEN items ELSE expected END), 0),
			(SELECT min(stage) FROM task WHERE run = $1 AND done = $2) FROM task WHERE run = $1`, run, false)
		if err := row.Scan(&items, &expected, &first); err != nil {
			return err
		}
		stage = int(first.Int64)
		return nil
	})
	return stage, items, expected, err
}

// end ends a run whose tasks are all done.
func (d *database) end(ctx context.Context, run int64) error {
	return d.write(ctx, func(tx *transaction) error {
		now, err := d.now(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE run SET ended = $1, items = (SELECT coalesce(sum(items), 0) FROM task WHERE run = $2)
			WHERE id = $2 AND ended IS NULL AND NOT EXISTS (SELECT 1 FROM task WHERE run = $2 AND done = $3)`, now, run, false)
		return err
	})
}
