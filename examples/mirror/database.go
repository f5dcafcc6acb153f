package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// A database holds the copy. It is safe for use by many goroutines and processes: those who write
// wait for each other.
type database struct {
	*sql.DB
	dialect
	turn chan struct{} // held by who writes in this process
}

// A dialect is what SQLite and PostgreSQL do not have in common. Parameters are $1 in both.
type dialect struct {
	name   string
	types  *strings.Replacer // of the columns
	tables string            // names of those that are there
	alone  string            // makes a transaction wait for others that write; empty where beginning does
	clock  string            // milliseconds since 1970
	day    string            // on which a chapter became readable
	within string            // function that tells where in a text another one is, from 1 on
	params int               // of a statement that writes rows, as many as pay
}

var (
	sqlite = dialect{
		name:   "SQLite",
		types:  strings.NewReplacer(" uuid", " TEXT", " timestamptz", " TEXT", " boolean", " INTEGER", " bigint", " INTEGER", " double precision", " REAL"),
		tables: "SELECT name FROM sqlite_master WHERE type = 'table'",
		clock:  "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
		day:    "substr(readable_at, 1, 10)",
		within: "instr",
		params: 1, // a row at a time: the driver looks for each parameter among all
	}
	postgres = dialect{
		name:   "PostgreSQL",
		types:  strings.NewReplacer(),
		tables: "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
		alone:  "SELECT pg_advisory_xact_lock(5137220926)",
		clock:  "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
		day:    "to_char(readable_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
		within: "strpos",
		params: 30000,
	}
)

// openDatabase opens a file of SQLite, or a database of PostgreSQL at an address, and brings its
// schema up to date.
func openDatabase(ctx context.Context, where string) (*database, error) {
	d := &database{turn: make(chan struct{}, 1)}
	if isPostgres(where) {
		config, err := pgx.ParseConfig(where)
		if err != nil { // which may have the password in it
			return nil, command.Usagef("-db is not an address like postgres://user:password@host:5432/mirror")
		}
		d.DB, d.dialect = stdlib.OpenDB(*config), postgres
	} else {
		if strings.Contains(where, "://") || isWords(where) { // as the name of a file it would show a password that is in it
			return nil, command.Usagef("-db is an address of neither SQLite nor PostgreSQL; name a file, or postgres://user:password@host:5432/mirror")
		}
		if err := os.MkdirAll(filepath.Dir(where), 0o700); err != nil {
			return nil, err
		}
		// Ids are random, so that rows are written everywhere: a cache of 16 MB and fewer checkpoints save
		// a sixth of the time of a first copy.
		const settings = "?_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)" +
			"&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(4000)"
		d.dialect = sqlite
		if err := d.checkExisting(ctx, where); err != nil {
			return nil, fmt.Errorf("the database %s cannot be used; -db names another one: %w", where, err)
		}
		var err error
		if d.DB, err = sql.Open("sqlite", fileURL(where)+settings); err != nil {
			return nil, err
		}
	}
	d.SetMaxOpenConns(8)
	err := d.checkOurs(ctx, d)
	if err == nil {
		err = d.migrate(ctx)
	}
	if err != nil {
		d.Close()
		if !isPostgres(where) {
			if why := checkFile(where); why != nil {
				return nil, why
			}
		}
		return nil, fmt.Errorf("the database %s cannot be used; -db names another one: %w", describe(where), d.say(err))
	}
	return d, nil
}

// isWords tells words like host=… password=…, which other programs take for a database of PostgreSQL.
func isWords(where string) bool {
	word, _, ok := strings.Cut(where, "=")
	return ok && slices.Contains([]string{"host", "hostaddr", "port", "user", "password", "dbname", "service", "sslmode"}, strings.TrimSpace(word))
}

var errAnother = errors.New("it is of another program")

// checkExisting makes sure that a file is not of another program, before anything is changed in it. Other
// errors are those of whoever uses it.
func (d *database) checkExisting(ctx context.Context, where string) error {
	if about, err := os.Stat(where); err != nil || !about.Mode().IsRegular() {
		return nil //nolint:nilerr // as above
	}
	reader, err := sql.Open("sqlite", fileURL(where)+"?mode=ro")
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	defer reader.Close()
	if err := d.checkOurs(ctx, reader); errors.Is(err, errAnother) {
		return err
	}
	return nil
}

// checkOurs makes sure that a database is empty or of this program.
func (d *database) checkOurs(ctx context.Context, q queryer) error {
	tables, err := texts(ctx, q, d.tables)
	if err == nil && len(tables) > 0 && !(tables["schema_version"] && tables["source"] && tables["run"]) {
		err = errAnother
	}
	return err
}

// checkFile says why there can be no database in a file, which SQLite does not.
func checkFile(where string) error {
	file, err := os.OpenFile(where, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if about, err := file.Stat(); err != nil || !about.Mode().IsRegular() {
		return command.Usagef("-db is %s, in which nothing can be kept; give a file", where)
	}
	return nil
}

func isPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// fileURL is a file as SQLite takes it, whatever is in its name.
func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath()
}

// describe names a database without the password.
func describe(where string) string {
	if !isPostgres(where) {
		return where
	}
	if u, err := url.Parse(where); err == nil {
		return u.Host + u.Path
	}
	return "of PostgreSQL"
}

// say makes an error of the database one that a person understands.
func (d *database) say(err error) error {
	var connect *pgconn.ConnectError
	var lite *driver.Error
	switch {
	case errors.As(err, &connect): // which says it in several lines
		why := error(connect)
		if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
			why = refused // which is not what came of trying it with TLS
		}
		return errors.New("the database cannot be reached; check that it runs, its address and its password: " + strings.Join(strings.Fields(why.Error()), " "))
	case errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("another program has locked it for a minute; end what that does there: %w", err)
	case errors.Is(err, pgconn.ErrConnClosed):
		return fmt.Errorf("the connection to the database was lost; check that it runs: %w", err)
	case errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", err, syscall.ENOSPC)
	}
	return err
}

// write runs a transaction that writes. It waits for those that others have begun.
func (d *database) write(ctx context.Context, do func(tx *transaction) error) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	begun, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx := &transaction{Tx: begun, params: d.params}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if d.alone != "" {
		if _, err := tx.ExecContext(ctx, d.alone); err != nil {
			return err
		}
	}
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// A transaction writes. It keeps the statements that it has prepared until it ends.
type transaction struct {
	*sql.Tx
	params     int
	statements map[string]*sql.Stmt
}

// prepared carries out a statement that comes again and again.
func (tx *transaction) prepared(ctx context.Context, text string, args []any) error {
	if tx.statements == nil {
		tx.statements = map[string]*sql.Stmt{}
	}
	statement, ok := tx.statements[text]
	if !ok {
		var err error
		if statement, err = tx.PrepareContext(ctx, text); err != nil {
			return err
		}
		tx.statements[text] = statement
	}
	_, err := statement.ExecContext(ctx, args...)
	return err
}

// now is the time of the database, which all processes have in common.
func (d *database) now(ctx context.Context, q queryer) (ms int64, err error) {
	return ms, q.QueryRowContext(ctx, "SELECT "+d.clock).Scan(&ms)
}

// A queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

//go:embed schema/*.sql
var schema embed.FS

// migrate carries out the files of the schema that the database has not seen, in the order of their
// names.
func (d *database) migrate(ctx context.Context) error {
	files, err := fs.ReadDir(schema, "schema")
	if err != nil {
		return err
	}
	return d.write(ctx, func(tx *transaction) error {
		if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_version (name text PRIMARY KEY)"); err != nil {
			return err
		}
		seen, err := texts(ctx, tx, "SELECT name FROM schema_version")
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, file := range files {
			known[file.Name()] = true
		}
		for name := range seen {
			if !known[name] {
				return errors.New("it was made by a newer version of this program")
			}
		}
		for _, file := range files {
			if seen[file.Name()] {
				continue
			}
			text, err := schema.ReadFile("schema/" + file.Name())
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, d.types.Replace(string(text))); err != nil {
				return fmt.Errorf("%s: %w", file.Name(), err)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO schema_version (name) VALUES ($1)", file.Name()); err != nil {
				return err
			}
		}
		return nil
	})
}

// texts reads a column.
func texts(ctx context.Context, q queryer, query string, args ...any) (map[string]bool, error) {
	all := map[string]bool{}
	err := each(ctx, q, query, args, func(row *sql.Rows) error {
		var text string
		if err := row.Scan(&text); err != nil {
			return err
		}
		all[text] = true
		return nil
	})
	return all, err
}

// each calls do for the rows of a query.
func each(ctx context.Context, q queryer, query string, args []any, do func(row *sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
