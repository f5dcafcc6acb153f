package athome

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/internal/given"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// An Option changes what [Open] or [NewCovers] returns. An option that is for one of them only says so;
// the other refuses it.
type Option func(*settings) error

type settings struct {
	maker     string       // whose options they are: Open or NewCovers
	http      *http.Client // nil: that of the client
	agent     string       // empty: that of the client
	client    *api.Client  // may be nil
	parallel  int
	maxPage   int64
	memory    int64 // 0: the default
	silence   time.Duration
	slowest   int64
	progress  func(Progress)
	fallback  func(Page)
	gaps      bool
	dataSaver bool
	port443   bool
	details   *api.Chapter
	title     *api.Manga
	reportURL string // empty: none, or MangaDex's if the chapter comes from there
	reports   bool
	uploads   string
}

func newSettings(maker string, options []Option) (*settings, error) {
	s := &settings{
		maker:    maker,
		parallel: 6,
		maxPage:  64 << 20,
		silence:  15 * time.Second,
		slowest:  1 << 10,
		reports:  true,
		uploads:  api.Uploads,
	}
	return s, given.Options(s, options)
}

// isFor refuses an option that only the other of Open and NewCovers has a use for.
func (s *settings) isFor(maker, option string) error {
	if s.maker != maker {
		return fmt.Errorf("athome: %s: it is for %s; %s has no use for it, leave it out", option, maker, s.maker)
	}
	return nil
}

// WithClient fetches pictures through the base transport of a client, with its proxy, and under its
// User-Agent. [Open] does so for its own client. For [NewCovers].
func WithClient(client *api.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("athome: WithClient: the client is nil; leave the option out to do without")
		}
		s.client = client
		return s.isFor("NewCovers", "WithClient")
	}
}

// WithHTTPClient sets the client that fetches pictures and sends reports. It must not add a token
// or a cookie to requests: nodes belong to strangers. The default sends through the base of the
// [api.Client]; if that was given none, over connections of the chapter's own.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("athome: WithHTTPClient: the client is nil; leave the option out to use the default")
		}
		s.http = client
		return nil
	}
}

// WithUserAgent adds the name of the application to the User-Agent, as [transport.WithUserAgent]
// does for the API. The default is the User-Agent of the [api.Client].
func WithUserAgent(application string) Option {
	return func(s *settings) error {
		agent, err := transport.UserAgent(application)
		if err != nil {
			return fmt.Errorf("athome: WithUserAgent: %w", err)
		}
		s.agent = agent
		return nil
	}
}

// WithParallel sets how many pictures are fetched at once, 6 by default and at most 64.
func WithParallel(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > 64 {
			return fmt.Errorf("athome: WithParallel(%d): give a number from 1 to 64", n)
		}
		s.parallel = n
		return nil
	}
}

// WithMemory bounds the bytes of the pages that [Chapter.All], [Chapter.WriteCBZ] and [Chapter.SaveCBZ]
// hold, the one in the hands of the loop included. The next page is always let through. For pages of
// usual sizes the default keeps the heap, garbage included, below 20 MB and the size of the pages that
// are fetched at once. [Chapter.Save] holds no pages in memory. For [Open].
func WithMemory(bytes int64) Option {
	return func(s *settings) error {
		if bytes < 1 {
			return fmt.Errorf("athome: WithMemory(%d): give a number of bytes above zero", bytes)
		}
		s.memory = bytes
		return s.isFor("Open", "WithMemory")
	}
}

// WithMaxPageSize sets how many bytes a picture may have, 64 MiB by default and 1 GiB at most. A
// larger one is refused with [ErrTooLarge].
func WithMaxPageSize(bytes int64) Option {
	return func(s *settings) error {
		const most = 1 << 30 // what a host says that it will send is made room for
		if bytes < 1 || bytes > most {
			return fmt.Errorf("athome: WithMaxPageSize(%d): give a number of bytes above zero, and at most %d", bytes, most)
		}
		s.maxPage = bytes
		return nil
	}
}

// WithStallTimeout sets how long a host may send nothing, 15 seconds by default, before it counts as
// failed. For a picture that keeps coming see [WithSlowest].
func WithStallTimeout(silence time.Duration) Option {
	return func(s *settings) error {
		if silence <= 0 {
			return fmt.Errorf("athome: WithStallTimeout(%v): give a duration above zero", silence)
		}
		s.silence = silence
		return nil
	}
}

// WithSlowest sets the lowest speed in bytes a second, 1024 by default: the average of the last 30
// seconds that were spent waiting for data. A slower host counts as failed, and another node is asked
// for. 0 allows any speed.
func WithSlowest(bytesPerSecond int64) Option {
	return func(s *settings) error {
		if bytesPerSecond < 0 {
			return fmt.Errorf("athome: WithSlowest(%d): give a number of bytes a second, or 0 for any speed", bytesPerSecond)
		}
		s.slowest = bytesPerSecond
		return nil
	}
}

// WithFallback takes a page in the other quality if it cannot be had in the wanted one, and calls
// report with each such page. Report may be nil; several goroutines call it at once. A later run with
// the same files asks for the wanted quality again. For [Open].
func WithFallback(report func(Page)) Option {
	return func(s *settings) error {
		if report == nil {
			report = func(Page) {}
		}
		s.fallback = report
		return s.isFor("Open", "WithFallback")
	}
}

// WithGaps lets [Chapter.SaveCBZ] write an archive without the pages that cannot be had. The comment of
// the archive says so, and so does the error, an *[IncompleteError]. The next run adds them. For
// [Open].
func WithGaps() Option {
	return func(s *settings) error {
		s.gaps = true
		return s.isFor("Open", "WithGaps")
	}
}

// WithProgress calls f while [Chapter.Save], [Chapter.SaveCBZ], [Chapter.WriteCBZ] or
// [Chapter.All] run: when a page is done and as its bytes arrive. The calls of one run come one
// after the other; f should return soon, because pages wait for it. For [Open].
func WithProgress(f func(Progress)) Option {
	return func(s *settings) error {
		s.progress = f
		return s.isFor("Open", "WithProgress")
	}
}

// WithDataSaver reads the smaller JPEG versions of the pages. For [Open].
func WithDataSaver() Option {
	return func(s *settings) error {
		s.dataSaver = true
		return s.isFor("Open", "WithDataSaver")
	}
}

// WithPort443 asks for nodes on the usual port, for networks that let no other through. For
// [Open].
func WithPort443() Option {
	return func(s *settings) error {
		s.port443 = true
		return s.isFor("Open", "WithPort443")
	}
}

// WithDetails gives the chapter as a list or a feed has it, and saves the call that would ask for it.
// For [Open].
func WithDetails(details api.Chapter) Option {
	return func(s *settings) error {
		s.details = &details
		return s.isFor("Open", "WithDetails")
	}
}

// WithTitle gives the title that the chapter belongs to, for ComicInfo.xml in archives. If it was asked
// for with [api.IncludeAuthor] and [api.IncludeArtist], it names who wrote and who drew it. For [Open].
func WithTitle(title api.Manga) Option {
	return func(s *settings) error {
		s.title = &title
		return s.isFor("Open", "WithTitle")
	}
}

// WithoutReports sends no reports on nodes. For [Open].
func WithoutReports() Option {
	return func(s *settings) error {
		s.reports = false
		return s.isFor("Open", "WithoutReports")
	}
}

// WithReportURL sends reports to another address than that of MangaDex. Without it, chapters that
// come from another server than [api.Production] are not reported on. For [Open].
func WithReportURL(address string) Option {
	return func(s *settings) error {
		if err := checkHost(address); err != nil {
			return fmt.Errorf("athome: WithReportURL: %w", err)
		}
		s.reportURL = address
		return s.isFor("Open", "WithReportURL")
	}
}

// WithUploadsServer fetches covers from another host than [api.Uploads]. For [NewCovers].
func WithUploadsServer(address string) Option {
	return func(s *settings) error {
		if err := checkHost(address); err != nil {
			return fmt.Errorf("athome: WithUploadsServer: %w", err)
		}
		s.uploads = strings.TrimRight(address, "/")
		return s.isFor("NewCovers", "WithUploadsServer")
	}
}

// checkHost refuses an address that nothing can be fetched from.
func checkHost(address string) error {
	if _, err := origin.Parse(address, "https://host.example"); err != nil {
		return fmt.Errorf("the address %w", err)
	}
	return nil
}
