package apitest

import (
	"fmt"
	"time"
)

// An Option changes a server that [Start] or [NewServer] makes.
type Option func(*settings)

type settings struct {
	seed    uint64
	titles  int
	clock   func() time.Time
	report  func(format string, args ...any) // where misfits go
	lenient bool
}

func defaults() settings {
	return settings{
		seed:   1,
		titles: 30,
		clock:  time.Now,
		report: func(string, ...any) {},
	}
}

// Limits of [WithTitles].
const (
	minTitles = 10
	maxTitles = 20_000
)

func (s *settings) check() error {
	if s.titles < minTitles || s.titles > maxTitles {
		return fmt.Errorf("apitest: %d titles; the catalogue can have %d to %d", s.titles, minTitles, maxTitles)
	}
	return nil
}

func withReport(report func(format string, args ...any)) Option {
	return func(s *settings) { s.report = report }
}

// WithSeed makes another catalogue. Servers with the same seed and the same number of titles have
// the same one, ids included. The default is 1.
func WithSeed(seed uint64) Option { return func(s *settings) { s.seed = seed } }

// WithTitles sets the number of titles, 10 to 20,000. There are ten chapters to a title. The
// default is 30.
func WithTitles(n int) Option { return func(s *settings) { s.titles = n } }

// WithClock sets what the server takes for the time: of its answers, of the life of tokens, of
// what is published. The catalogue lies in the past of the time at the start. The default is
// [time.Now].
func WithClock(now func() time.Time) Option { return func(s *settings) { s.clock = now } }

// Lenient lets a test send requests that do not fit the specification. They are answered as
// MangaDex does, with status 400, and do not fail the test.
func Lenient() Option { return func(s *settings) { s.lenient = true } }
