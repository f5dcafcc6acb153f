package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// A table is how rows of a table are written: its first columns are the key.
type table struct {
	name    string
	key     int
	columns []string
}

func tableOf(name string, key int, columns string) table {
	return table{name, key, strings.Fields(columns)}
}

// put writes rows, in the place of those that are there. Of two with one key the last one counts.
func (t table) put(ctx context.Context, tx *transaction, rows [][]any) error {
	rows = t.unique(rows)
	for part := range slices.Chunk(rows, max(tx.params/len(t.columns), 1)) {
		args := make([]any, 0, len(part)*len(t.columns))
		for _, row := range part {
			args = append(args, row...)
		}
		if err := tx.prepared(ctx, t.statement(len(part)), args); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func (t table) unique(rows [][]any) [][]any {
	last := make(map[string]int, len(rows))
	for i, row := range rows {
		last[fmt.Sprint(row[:t.key]...)] = i
	}
	if len(last) == len(rows) {
		return rows
	}
	once := make([][]any, 0, len(last))
	for i, row := range rows {
		if last[fmt.Sprint(row[:t.key]...)] == i {
			once = append(once, row)
		}
	}
	return once
}

func (t table) statement(rows int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", t.name, strings.Join(t.columns, ", "))
	for row := range rows {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteString(parameters(row*len(t.columns), len(t.columns)))
	}
	fmt.Fprintf(&b, " ON CONFLICT (%s) DO ", strings.Join(t.columns[:t.key], ", "))
	if t.key == len(t.columns) {
		b.WriteString("NOTHING")
		return b.String()
	}
	b.WriteString("UPDATE SET ")
	for i, column := range t.columns[t.key:] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s = excluded.%[1]s", column)
	}
	return b.String()
}

// parameters are so many parameters in brackets, behind those before.
func parameters(before, count int) string {
	var b strings.Builder
	for i := range count {
		b.WriteString([]string{", ", "("}[btoi(i == 0)])
		fmt.Fprintf(&b, "$%d", before+i+1)
	}
	return b.String() + ")"
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listed are ids as the parameters of a statement.
func listed(ids []uuid.UUID) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id.String()
	}
	return args
}

// What goes into a row. Ids and times are texts, which both databases take.

// clean is a text without what PostgreSQL does not store.
func clean(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

// orNull is null for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return clean(text)
}

func optional(text *string) any {
	if text == nil {
		return nil
	}
	return orNull(*text)
}

func idOrNull(id uuid.UUID, ok bool) any {
	if !ok || id == uuid.Nil {
		return nil
	}
	return id.String()
}

const timeLayout = "2006-01-02T15:04:05Z"

// moment is null for a time that the server does not know.
func moment(t time.Time) any {
	if t = t.UTC(); t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	return t.Format(timeLayout)
}

func orNil[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}
