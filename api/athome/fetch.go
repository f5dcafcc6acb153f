package athome

import (
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
}

func newFetcher(s *settings) *fetcher {
	f := &fetcher{
		http: s.http, close: func() {},
		turns: make(chan []byte, s.parallel),
		agent: s.agent, maxSize: s.maxPage, silence: s.silence,
	}
	for range s.parallel {
		f.turns <- nil
	}
	if f.http == nil {
		own := &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        2 * s.parallel,
			MaxIdleConnsPerHost: s.parallel,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second,
		}
		f.http, f.close = &http.Client{Transport: own}, own.CloseIdleConnections
	}
	return f
}

// An arrival is what came of one attempt.
type arrival struct {
	bytes       int64
	contentType string // of the picture, by its first bytes if they tell
	cached      bool
	took        time.Duration
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
func (f *fetcher) get(ctx context.Context, address, sum string, out output) (arrival, error) {
	a, err := f.receive(ctx, address, out)
	if err != nil || sum == "" {
		return a, err
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
func (f *fetcher) receive(ctx context.Context, address string, out output) (a arrival, err error) {
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
	a, err = f.exchange(watched, address, out, func() { watch.Reset(f.silence) }, buffer)
	a.took = time.Since(start)
	if ended := context.Cause(watched); err != nil && ended != nil && !errors.As(err, new(outputError)) {
		err = ended // the network reports it in words of its own
	}
	return a, err
}

// exchange asks for a picture and reads the answer. It calls heard when something has come.
func (f *fetcher) exchange(ctx context.Context, address string, out output, heard func(), buffer []byte) (a arrival, err error) {
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
	case resp.StatusCode != http.StatusOK:
		return a, statusError(resp.StatusCode)
	case declared != "" && !isPicture(declared):
		return a, fmt.Errorf("the answer is %q, not a picture", declared)
	case resp.ContentLength > f.maxSize:
		return a, f.tooLarge(resp.ContentLength)
	}
	if err := out.begin(resp.ContentLength); err != nil {
		return a, outputError{err}
	}

	head := make([]byte, 0, 512) // as much as tells the type
	for err != io.EOF {
		p := out.space(buffer)
		var n int
		n, err = resp.Body.Read(p)
		p = p[:n]
		heard()
		if a.bytes += int64(n); a.bytes > f.maxSize {
			return a, f.tooLarge(a.bytes)
		}
		if err != nil && err != io.EOF {
			return a, fmt.Errorf("it broke off after %d bytes: %w", a.bytes, withoutURL(err))
		}
		head = append(head, p[:min(n, cap(head)-len(head))]...)
		if _, err := out.Write(p); err != nil {
			return a, outputError{err}
		}
	}
	switch {
	case resp.ContentLength >= 0 && a.bytes != resp.ContentLength:
		return a, fmt.Errorf("it has %d bytes instead of the %d that were promised", a.bytes, resp.ContentLength)
	case a.bytes == 0:
		return a, errors.New("the answer is empty")
	}
	if a.contentType = pictureType(head, declared); a.contentType == "" {
		return a, errors.New("the answer has no type and does not look like a picture")
	}
	return a, nil
}

func (f *fetcher) tooLarge(size int64) error {
	return fmt.Errorf("%w: it has at least %d bytes and %d are allowed; raise WithMaxPageSize to let it through", ErrTooLarge, size, f.maxSize)
}

// triesPerHost bounds the attempts at a picture on one host.
const triesPerHost = 3

// pause waits before a picture is asked for again on the same host.
func pause(ctx context.Context, tries int) error {
	const first = 200 * time.Millisecond
	timer := time.NewTimer(rand.N(first << (tries - 1)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A statusError is a status other than 200.
type statusError int

func (e statusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("status %d %s", int(e), http.StatusText(int(e))))
}

// Is makes it what the errors of package api stand for.
func (e statusError) Is(target error) bool {
	return answer.Is(int(e), target)
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
	var status statusError
	return errors.As(err, &status) && (status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusGone)
}

// isGone reports whether there is nobody at a host to answer.
func isGone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" ||
		errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, new(silentError))
}

// withoutURL takes the address out of an error of net/http.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// otherPicture is the ending for files of pictures that are not listed below.
const otherPicture = ".img"

// pictureKinds are the types of pictures with the endings of their files.
var pictureKinds = []struct{ contentType, ext string }{
	{"image/jpeg", ".jpg"},
	{"image/png", ".png"},
	{"image/gif", ".gif"},
	{"image/webp", ".webp"},
	{"image/avif", ".avif"},
	{"image/bmp", ".bmp"},
	{"image/jxl", ".jxl"},
}

func isPicture(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && strings.HasPrefix(mediaType, "image/")
}

// pictureType tells the type of a picture by its first bytes, or else by what the host says.
func pictureType(head []byte, declared string) string {
	if len(head) >= 12 && string(head[4:12]) == "ftypavif" {
		return "image/avif"
	}
	if seen := http.DetectContentType(head); isPicture(seen) {
		return seen
	}
	mediaType, _, _ := mime.ParseMediaType(declared)
	return mediaType
}

// extension is the ending for files of a type.
func extension(contentType string) string {
	for _, kind := range pictureKinds {
		if kind.contentType == contentType {
			return kind.ext
		}
	}
	return otherPicture
}

// isExtension reports whether files of pictures have this ending.
func isExtension(ext string) bool {
	for _, kind := range pictureKinds {
		if kind.ext == ext {
			return true
		}
	}
	return ext == otherPicture
}
