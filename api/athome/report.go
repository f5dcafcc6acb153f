package athome

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	mangaDexReports = "https://api.mangadex.network/report"

	reportTimeout  = 2 * time.Second // of one report, and of those left when the chapter is closed
	maxReports     = 512             // that wait; further ones are dropped
	reportsAtATime = 4
)

// A report says how a page arrived.
type report struct {
	URL      string `json:"url"`
	Success  bool   `json:"success"`
	Cached   bool   `json:"cached"`
	Bytes    int64  `json:"bytes"`
	Duration int64  `json:"duration"` // in milliseconds
}

// reports sends reports in the background. Its goroutines live while there is something to send.
type reports struct {
	fetcher *fetcher
	url     string
	stop    context.CancelFunc
	stopped context.Context

	mu      sync.Mutex
	waiting []report
	closed  bool
	senders int
	idle    sync.WaitGroup // of senders
}

func newReports(f *fetcher, url string) *reports {
	r := &reports{fetcher: f, url: url}
	r.stopped, r.stop = context.WithCancel(context.Background())
	return r
}

// add takes a report without waiting. It drops it when too many wait.
func (r *reports) add(next report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.waiting) == maxReports {
		return
	}
	r.waiting = append(r.waiting, next)
	if r.senders < reportsAtATime {
		r.senders++
		r.idle.Go(r.send)
	}
}

// send sends what waits, and ends when nothing does.
func (r *reports) send() {
	for {
		r.mu.Lock()
		if len(r.waiting) == 0 || r.stopped.Err() != nil {
			r.senders--
			r.mu.Unlock()
			return
		}
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.mu.Unlock()
		r.post(next)
	}
}

// post sends one report. Nobody can do anything about one that fails.
func (r *reports) post(next report) {
	body, err := json.Marshal(next)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(r.stopped, reportTimeout)
	defer cancel()
	req, err := r.fetcher.request(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json") // exactly so; a charset is refused
	resp, err := r.fetcher.http.Do(req)
	if err != nil {
		return
	}
	resp.Body.Close()
}

// close returns when every report is sent or dropped.
func (r *reports) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	timer := time.AfterFunc(reportTimeout, r.stop)
	r.idle.Wait()
	timer.Stop()
	r.stop()
}
