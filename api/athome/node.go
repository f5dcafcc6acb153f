package athome

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// lifetime is how long the address of a node is good for.
const lifetime = 15 * time.Minute

// A node serves the pages of a chapter for a while.
type node struct {
	base string // opaque; a port and a path are possible
	host string
	ours bool // MangaDex's own, which wants no reports
	born time.Time
}

func newNode(base string) (*node, error) {
	server, err := origin.Parse(base, "https://node.example")
	if err != nil {
		return nil, errors.New("the server names a node by a text that is not the address of a host")
	}
	return &node{base: strings.TrimRight(base, "/"), host: server.Host(), ours: server.In("mangadex.org"), born: time.Now()}, nil
}

// A source knows the node that serves a chapter now, and asks for another one.
type source struct {
	client  *api.Client
	chapter uuid.UUID
	params  *api.GetAtHomeServerParams
	saver   bool

	hash  string
	names []string
	other []string // in the other quality, empty if the server has not the same pages in it

	mu     sync.Mutex
	node   *node
	asking *asking              // nil while nobody asks
	busy   map[string]time.Time // until when nodes want to be left alone, by their address
}

// asking is a call for another node that several pages wait for.
type asking struct {
	done chan struct{}
	err  error // valid when done is closed
}

// A listing is what an at-home call says.
type listing struct {
	node         *node
	hash         string
	names, other []string
}

// open asks for the first node, and for what there is to read. If either may be had, pages that are there
// in the other quality only are read in that.
func (s *source) open(ctx context.Context, either bool) error {
	l, err := s.ask(ctx)
	if err == nil && len(l.names) == 0 && len(l.other) > 0 && either {
		s.saver = !s.saver
		l, err = s.ask(ctx)
	}
	if err != nil || len(l.names) == 0 {
		return err
	}
	if l.hash == "" || l.hash == "." || l.hash == ".." {
		return fmt.Errorf("the server answers with the hash %q, which cannot be in an address", l.hash)
	}
	for _, names := range [][]string{l.names, l.other} {
		for i, name := range names {
			if name == "" || name == "." || name == ".." {
				return fmt.Errorf("the server calls page %d %q, which cannot be in an address", i+1, name)
			}
		}
	}
	s.node, s.hash, s.names = l.node, l.hash, l.names
	if len(l.other) == len(l.names) {
		s.other = l.other
	}
	return nil
}

func (s *source) ask(ctx context.Context) (l listing, err error) {
	answer, err := s.client.GetAtHomeServer(ctx, s.chapter, s.params)
	if err != nil {
		return l, err
	}
	l.hash, l.names, l.other = answer.Chapter.Hash, answer.Chapter.Data, answer.Chapter.DataSaver
	if s.saver {
		l.names, l.other = l.other, l.names
	}
	if len(l.names) == 0 {
		return l, nil // external chapters have no node either
	}
	l.node, err = newNode(answer.BaseURL)
	return l, err
}

// leave has a node left alone for a while.
func (s *source) leave(n *node, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy == nil {
		s.busy = map[string]time.Time{}
	}
	s.busy[n.base] = time.Now().Add(wait)
}

// busyFor is for how long a node wants to be left alone.
func (s *source) busyFor(n *node) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, time.Until(s.busy[n.base]))
}

// after returns a node to use instead of old, which has failed; nil stands for none so far. However
// many pages ask at the same time, one call to the API finds the next node for all of them.
func (s *source) after(ctx context.Context, old *node) (*node, error) {
	for {
		s.mu.Lock()
		if s.node != old && time.Since(s.node.born) < lifetime {
			defer s.mu.Unlock()
			return s.node, nil
		}
		a := s.asking
		if a == nil {
			a = &asking{done: make(chan struct{})}
			s.asking = a
			s.mu.Unlock()
			return s.next(ctx, a)
		}
		s.mu.Unlock()
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if a.err != nil && !errors.Is(a.err, errGaveUp) {
			return nil, a.err
		}
	}
}

// left reports whether another node has taken the place of n.
func (s *source) left(n *node) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.node != n
}

// errGaveUp is the end of a call whose caller could not wait for it. Another one makes it anew.
var errGaveUp = errors.New("the caller gave up")

// next asks for a node on behalf of all who wait for a.
func (s *source) next(ctx context.Context, a *asking) (*node, error) {
	l, err := s.ask(ctx)
	if err == nil && (l.hash != s.hash || !slices.Equal(l.names, s.names)) {
		err = ErrChanged
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = nil
	switch {
	case err == nil:
		s.node = l.node
	case ctx.Err() != nil:
		a.err = errGaveUp
	default:
		a.err = err
	}
	close(a.done)
	return l.node, err
}

// address is where a page is on a node.
func (s *source) address(n *node, page Page) string {
	quality := "/data/"
	if page.DataSaver {
		quality = "/data-saver/"
	}
	return n.base + quality + url.PathEscape(s.hash) + "/" + url.PathEscape(page.Name)
}
