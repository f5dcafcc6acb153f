package apitest

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// An Option changes a server that [Start] or [NewServer] makes.
type Option func(*settings) error

type settings struct {
	seed        uint64
	titles      int
	hard        bool
	long        int // chapters of a title; 0 for no such title
	clock       func() time.Time
	addr        string // of a single host; empty for several
	offline     bool
	accounts    []Account
	accessLife  time.Duration
	refreshLife time.Duration
	expirySkew  time.Duration
	refreshMode RefreshMode
	limits      bool
	only        []string
	faults      []Fault
	lenient     bool
	logger      *slog.Logger                     // nil for none
	report      func(format string, args ...any) // where misfits go
}

func defaults() settings {
	return settings{
		seed:        1,
		titles:      30,
		clock:       time.Now,
		accessLife:  15 * time.Minute,
		refreshLife: 30 * 24 * time.Hour,
		report:      func(string, ...any) {},
	}
}

// Limits of [WithTitles].
const (
	minTitles = 10
	maxTitles = 20_000

	maxLongTitle = 50_000 // chapters
)

func (s *settings) check() error {
	switch {
	case s.titles < minTitles || s.titles > maxTitles:
		return fmt.Errorf("apitest: %d titles; the catalogue can have %d to %d", s.titles, minTitles, maxTitles)
	case s.long < 0 || s.long > maxLongTitle:
		return fmt.Errorf("apitest: a title with %d chapters; it can have 1 to %d", s.long, maxLongTitle)
	case s.accessLife < time.Second || s.refreshLife < time.Second:
		return fmt.Errorf("apitest: tokens that live %v and %v; a second is the least", s.accessLife, s.refreshLife)
	case s.clock == nil:
		return errors.New("apitest: the clock is nil; leave WithClock out for time.Now")
	case s.refreshMode < RefreshRenew || s.refreshMode > RefreshRotate:
		return fmt.Errorf("apitest: there is no RefreshMode %d; give RefreshRenew, RefreshKeep or RefreshRotate", s.refreshMode)
	case s.addr != "" && s.offline:
		return fmt.Errorf("apitest: a server without a network cannot listen on %s", s.addr)
	}
	for _, id := range s.only {
		if !isOperation(id) {
			return fmt.Errorf("apitest: there is no operation %q", id)
		}
	}
	for _, f := range s.faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// isOperation tells whether there is an operation of the API with an id.
func isOperation(id string) bool {
	return slices.ContainsFunc(operation.Table[:], func(op operation.Operation) bool { return op.ID == id })
}

func withReport(report func(format string, args ...any)) Option {
	return func(s *settings) error {
		s.report = report
		return nil
	}
}

// WithSeed makes another catalogue. Servers with the same seed and the same number of titles have
// the same one, ids included. The default is 1.
func WithSeed(seed uint64) Option {
	return func(s *settings) error {
		s.seed = seed
		return nil
	}
}

// WithTitles sets the number of titles, 10 to 20,000. There are ten chapters to a title. The
// default is 30.
func WithTitles(n int) Option {
	return func(s *settings) error {
		s.titles = n
		return nil
	}
}

// WithHardCases adds titles that programs get wrong to the catalogue, two of each case, with ids and
// texts that depend on the seed. [State.HardCases] finds them by the names of the cases:
//
//   - reset: numbers begin anew with every volume, and the title says so; reset-unsaid: it does not.
//   - versions: numbers by two and three groups, by two together, by one group twice, in two
//     languages, with and without the volume, here and elsewhere.
//   - anthology: twelve stories of one number by one group.
//   - numbers: 1.10, 10.5, 10a, 30e, 031, v1.5, none, volumes such as 1.5, 0 and Extra.
//   - no-number, no-volume, volume-later: without numbers, without volumes, with volumes for the
//     older half.
//   - external: read elsewhere, with a publication in 2037; unavailable: not to be read at all.
//   - not-english: an English title among the alternative ones; no-english: none.
//   - hostile: names and titles with newlines, escape sequences, marks of direction, HTML, formulas,
//     paths, and 300 characters; of authors, groups and uploaders, too.
//   - erotica, pornographic: ratings that searches leave out or programs do.
//   - late: readable three days after the publication; scheduled: with chapters of the next weeks.
func WithHardCases() Option {
	return func(s *settings) error {
		s.hard = true
		return nil
	}
}

// WithLongTitle adds a title with this many chapters, 50,000 at most: with more than 10,000, no feed
// shows all of them. [State.HardCases] has it under the name long.
func WithLongTitle(chapters int) Option {
	return func(s *settings) error {
		s.long = chapters
		return nil
	}
}

// WithClock sets the clock of the server, for its answers, the life of tokens and what is published.
// The catalogue is older than the time at the start. The default is [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *settings) error {
		s.clock = now
		return nil
	}
}

// WithAddr puts everything on one address, such as localhost:8080: the API at the root, the realm under
// /realms/mangadex, covers under /uploads, pages under /node, the reports on pages at /network/report.
// The default is a free port of this machine for each.
func WithAddr(addr string) Option {
	return func(s *settings) error {
		s.addr = addr
		return nil
	}
}

// WithoutNetwork opens no port. The server can be reached by [Server.Transport] alone.
func WithoutNetwork() Option {
	return func(s *settings) error {
		s.offline = true
		return nil
	}
}

// WithAccount adds an account to [Server.Account]. What is empty is made up: its ID, the password
// "password-of-" and the secret "secret-of-" with the Username; State().Account tells.
func WithAccount(a Account) Option {
	return func(s *settings) error {
		s.accounts = append(s.accounts, a)
		return nil
	}
}

// WithTokenLife sets how long access tokens are valid and how long a login lasts, whatever happens to
// its refresh tokens. The defaults are 15 minutes and 30 days.
func WithTokenLife(access, refresh time.Duration) Option {
	return func(s *settings) error {
		s.accessLife, s.refreshLife = access, refresh
		return nil
	}
}

// WithExpirySkew adds d to the expires_in of the answers that give tokens. Tokens are valid for as long
// as before.
func WithExpirySkew(d time.Duration) Option {
	return func(s *settings) error {
		s.expirySkew = d
		return nil
	}
}

// WithRefresh sets what happens to refresh tokens when they are used.
func WithRefresh(mode RefreshMode) Option {
	return func(s *settings) error {
		s.refreshMode = mode
		return nil
	}
}

// WithLimits turns the limits of MangaDex on, for each address: five requests a second and the limits
// of operations, with 429 for what is too much. A client that goes on gets 403 for five minutes, and in
// the end no answer at all.
func WithLimits() Option {
	return func(s *settings) error {
		s.limits = true
		return nil
	}
}

// WithLogger logs what somebody who watches the server wants to know: that an address has been banned,
// and for how long.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// WithOnly makes a test fail when it calls any other operation of the API than these, named by
// their ids, such as GetManga. Without any, none may be called.
func WithOnly(operations ...string) Option {
	return func(s *settings) error {
		if s.only == nil {
			s.only = []string{} // nil is without this option
		}
		s.only = append(s.only, operations...)
		return nil
	}
}

// WithFaults makes things go wrong from the beginning; see [Server.Fail].
func WithFaults(faults ...Fault) Option {
	return func(s *settings) error {
		s.faults = append(s.faults, faults...)
		return nil
	}
}

// Lenient lets a test send requests that do not fit the specification. They are answered as
// MangaDex does, with status 400, and do not fail the test.
func Lenient() Option {
	return func(s *settings) error {
		s.lenient = true
		return nil
	}
}
