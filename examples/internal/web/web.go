// Package web is what the examples that serve pages on the own computer share: who may ask, and what
// a browser may do with the answer.
package web

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Guard sets what a browser may do with an answer: run no script but ours, show it in no other page,
// keep nothing.
func Guard(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'")
	if IsLoopback(r.Host) { // browsers complain of it where nothing is encrypted
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin") // not no-referrer, which would hide the origin of forms from us
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
}

// IsOurs reports whether the Host of a request can only mean this server, which was told to listen
// on a name. Any other one may belong to a site that points its name to this computer to read along.
func IsOurs(host, name string) bool {
	if without, _, err := net.SplitHostPort(host); err == nil {
		host = without
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || host == name || net.ParseIP(host) != nil
}

// A Sender is who has made a browser send a request.
type Sender int

// Senders.
const (
	Untold  Sender = iota // nobody says so: a program, or a page that keeps its Referer to itself
	Own                   // a person, or a page of this server
	Foreign               // a page of another site, or of another port of this computer
)

// SenderOf says who has made a browser send a request. Browsers tell by Sec-Fetch-Site, and those of
// old by Origin and Referer.
func SenderOf(r *http.Request) Sender {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
	case "same-origin", "none":
		return Own
	default:
		return Foreign
	}
	for _, name := range []string{"Origin", "Referer"} {
		if from := r.Header.Get(name); from != "" {
			if u, err := url.Parse(from); err != nil || u.Host != r.Host {
				return Foreign
			}
			return Own
		}
	}
	return Untold
}

// IsLoopback reports whether a host is this computer, to which browsers send Sec-Fetch-Site without
// encryption, too.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip.IsLoopback()
}

// How long a browser may take for the header of a request, for all of it, and until it has read the
// answer, which may take two minutes to come. Slower ones would hold the server up.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 30 * time.Second
	answerTimeout  = 3 * time.Minute
)

// Serve serves until ctx ends.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, IdleTimeout: 2 * time.Minute,
		WriteTimeout:   answerTimeout,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       log.New(io.Discard, "", 0), // it tells of browsers that went away
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	defer func() { <-ended }() //nolint:errcheck // it is http.ErrServerClosed
	// What a click has set off may end: a login, a follow.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		server.Close()
	}
	return nil
}

// PictureType is the type of a picture by its content, empty if it is none that is made of dots. An
// SVG is a document that may do more than be looked at.
func PictureType(data []byte) string {
	if len(data) >= 12 && string(data[4:12]) == "ftypavif" {
		return "image/avif"
	}
	switch kind := http.DetectContentType(data); kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return kind
	}
	return ""
}

// SendPicture sends a picture of others under a tag, which is another one when the picture is. What
// is no picture is not sent, which the result tells.
func SendPicture(w http.ResponseWriter, r *http.Request, data []byte, tag string) bool {
	kind := PictureType(data)
	if kind == "" {
		return false
	}
	Keep(w, tag)
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return true
}

// IsKept answers a browser that has a picture already.
func IsKept(w http.ResponseWriter, r *http.Request, tag string) bool {
	if tag == "" || r.Header.Get("If-None-Match") != `"`+tag+`"` {
		return false
	}
	Keep(w, tag)
	w.WriteHeader(http.StatusNotModified)
	return true
}

// Keep lets the browser keep an answer whose address changes when its content does.
func Keep(w http.ResponseWriter, tag string) {
	const seconds = 14 * 24 * 3600 // as the nodes of MangaDex say themselves
	w.Header().Set("Cache-Control", "private, max-age="+strconv.Itoa(seconds)+", immutable")
	w.Header().Set("ETag", `"`+tag+`"`)
}
