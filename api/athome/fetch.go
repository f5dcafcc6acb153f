package athome

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/internal/answer"
)

// A fetcher gets pictures from any host.
type fetcher struct {
	http    *http.Client
	close   func()      // frees what http holds if it is our own
	turns   chan []byte // one for each picture that is fetched at the same time, with its buffer
	agent   string
	maxSize int64
	silence time.Duration
	slowest int64
}

func newFetcher(s *settings) *fetcher {
	way := wayOf(s)
	f := &fetcher{
		http: guarded(way.http, way.proxy), close: way.close,
		turns: make(chan []byte, s.parallel),
		agent: way.agent, maxSize: s.maxPage, silence: s.silence, slowest: s.slowest,
	}
	for range s.parallel {
		f.turns <- nil
	}
	return f
}

// An arrival is what came of one attempt.
type arrival struct {
	bytes       int64
	contentType string // of the picture, by its first bytes if they tell
	cached      bool
	took        time.Duration
	whole       bool // by its head and end
}

// request makes a request that says who asks, and nothing else.
func (f *fetcher) request(ctx context.Context, method, address string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, errors.New("the address is not a URL")
	}
	req.Header.Set("User-Agent", f.agent)
	return req, nil
}

// get makes one attempt at a picture. If sum is not empty, it is the SHA-256 that the picture must
// have.
func (f *fetcher) get(ctx context.Context, address, sum string, out output, m *meter) (arrival, error) {
	a, err := f.receive(ctx, address, out, m)
	switch {
	case err != nil:
		return a, err
	case sum == "" && !a.whole:
		return a, errors.New("it is damaged: its end is missing")
	case sum == "":
		return a, nil
	}
	// The turn is over: the next picture is on its way while this one is checked.
	switch got, err := out.sum(); {
	case err != nil:
		return a, outputError{err}
	case got != sum:
		return a, fmt.Errorf("it is damaged: its SHA-256 begins with %.8s, not with %.8s", got, sum)
	}
	return a, nil
}

// receive waits for a turn and lets a picture arrive.
func (f *fetcher) receive(ctx context.Context, address string, out output, m *meter) (a arrival, err error) {
	var buffer []byte
	select {
	case buffer = <-f.turns:
	case <-ctx.Done():
		return a, context.Cause(ctx)
	}
	if buffer == nil {
		buffer = make([]byte, 64<<10)
	}
	defer func() { f.turns <- buffer }()

	start := time.Now()
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(f.silence, func() { cancel(silentError(f.silence)) })
	defer watch.Stop()
	a, err = f.exchange(watched, address, out, m, func() { watch.Reset(f.silence) }, buffer)
	a.took = time.Since(start)
	if ended := context.Cause(watched); err != nil && ended != nil && !errors.As(err, new(outputError)) {
		err = ended // the network reports it in words of its own
	}
	return a, err
}

// exchange asks for a picture and reads the answer. It calls heard when something has come.
func (f *fetcher) exchange(ctx context.Context, address string, out output, m *meter, heard func(), buffer []byte) (a arrival, err error) {
	req, err := f.request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return a, err
	}
	req.Header.Set("Accept-Encoding", "identity") // so that the length is that of the picture
	resp, err := f.http.Do(req)
	if err != nil {
		return a, withoutURL(err)
	}
	defer resp.Body.Close()
	heard()
	a.cached = strings.HasPrefix(strings.ToUpper(resp.Header.Get("X-Cache")), "HIT")
	declared := resp.Header.Get("Content-Type")
	switch {
	case !answer.Whole(resp.StatusCode):
		return a, &statusError{resp.StatusCode, answer.RetryAfter(resp.StatusCode, resp.Header, time.Now())}
	case declared != "" && !isPicture(declared) && !isGzip(declared):
		return a, fmt.Errorf("the answer is %q, not a picture", declared)
	case resp.ContentLength > f.maxSize:
		return a, f.tooLarge(resp.ContentLength)
	}
	raw := &counter{r: resp.Body}
	body, size, err := unpacked(raw, resp.ContentLength)
	if err != nil {
		return a, fmt.Errorf("it cannot be unpacked: %w", withoutURL(err))
	}
	if err := out.begin(size); err != nil {
		return a, outputError{err}
	}
	m.begin(size)
	var seen sight
	speed := pace{slowest: f.slowest}
	for err != io.EOF {
		p := out.space(buffer)
		start := time.Now()
		var n int
		n, err = body.Read(p)
		p = p[:n]
		heard()
		if a.bytes += int64(n); a.bytes > f.maxSize {
			return a, f.tooLarge(a.bytes)
		}
		if err != nil && err != io.EOF {
			return a, fmt.Errorf("it broke off after %d bytes: %w", a.bytes, withoutURL(err))
		}
		if speed.add(int64(n), time.Since(start)) && err == nil {
			return a, slowError{speed.sum}
		}
		seen.see(p)
		if _, err := out.Write(p); err != nil {
			return a, outputError{err}
		}
		m.add(n)
	}
	switch {
	case resp.ContentLength >= 0 && raw.n != resp.ContentLength:
		return a, fmt.Errorf("it has %d bytes instead of the %d that were promised", raw.n, resp.ContentLength)
	case a.bytes == 0:
		return a, errors.New("the answer is empty")
	}
	if a.contentType = pictureType(seen.head, declared); a.contentType == "" || isGzip(a.contentType) {
		return a, errors.New("the answer has no type and does not look like a picture")
	}
	a.whole = seen.isWhole()
	return a, nil
}

// unpacked undoes gzip, which some nodes send although nobody asked for it and whether or not they say
// so. No picture begins like it. The size is -1 if it is not known.
func unpacked(raw io.Reader, size int64) (io.Reader, int64, error) {
	buffered := bufio.NewReader(raw)
	if head, err := buffered.Peek(2); err != nil || head[0] != 0x1f || head[1] != 0x8b {
		return buffered, size, nil
	}
	body, err := gzip.NewReader(buffered)
	return body, -1, err
}

func isGzip(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == "application/gzip" || mediaType == "application/x-gzip"
}

// A counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (f *fetcher) tooLarge(size int64) error {
	return fmt.Errorf("%w: it has at least %d bytes and %d are allowed; raise WithMaxPageSize to let it through", ErrTooLarge, size, f.maxSize)
}

// triesPerHost bounds the attempts at a picture on one host.
const triesPerHost = 3

// pause waits before a picture is asked for again on the same host: a little, or as long as the host
// says.
func pause(ctx context.Context, tries int, asked time.Duration) error {
	const first = 200 * time.Millisecond
	timer := time.NewTimer(max(asked, rand.N(first<<(tries-1))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A statusError is a status other than 200.
type statusError struct {
	status     int
	retryAfter time.Duration // zero if the host does not say
}

func (e *statusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("status %d %s", e.status, http.StatusText(e.status)))
	if e.retryAfter > 0 {
		text += fmt.Sprintf(", try again in %v", e.retryAfter)
	}
	return text
}

// Is makes it what the errors of package api stand for.
func (e *statusError) Is(target error) bool { return answer.Is(e.status, target) }

// retryAfter is when a host wants to be asked again, zero if it does not say.
func retryAfter(err error) time.Duration {
	var status *statusError
	if errors.As(err, &status) {
		return status.retryAfter
	}
	return 0
}

// A silentError says that a host sent nothing for so long.
type silentError time.Duration

func (e silentError) Error() string {
	return fmt.Sprintf("nothing came for %v", time.Duration(e))
}

// Timeout makes it an error of that kind for those who ask.
func (e silentError) Timeout() bool { return true }

// isRefusal reports whether a host will say the same to every request like this one.
func isRefusal(err error) bool {
	var status *statusError
	return errors.As(err, &status) && answer.TurnsAway(status.status)
}

// isGone reports whether there is nobody at a host to answer, or not in time.
func isGone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" ||
		errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, new(silentError)) || errors.As(err, new(slowError))
}

// withoutURL takes the address out of an error of net/http.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
