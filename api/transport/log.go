package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/internal/operation"
)

// log writes the line of an attempt.
func (e *exchange) log() {
	logger := e.t.logger
	if logger == nil || !logger.Enabled(e.req.Context(), slog.LevelDebug) {
		return
	}
	e.write(slog.LevelDebug, "request", append(e.outcome(), slog.Duration("duration", time.Since(e.sent)))...)
}

// logRetry writes the line of a repetition.
func (e *exchange) logRetry() {
	if e.t.logger != nil {
		e.write(slog.LevelWarn, "repeating a request", append(e.outcome(), slog.String("reason", e.why), slog.Duration("wait", e.delay))...)
	}
}

// logPause writes the line of a pause.
func (e *exchange) logPause(feedback Feedback) {
	if e.t.logger == nil {
		return
	}
	attrs := append(e.outcome(), slog.Duration("pause", feedback.Pause), slog.Bool("all", feedback.All))
	if feedback.Reason != nil {
		attrs = append(attrs, slog.String("reason", feedback.Reason.Error()))
	}
	e.write(slog.LevelWarn, "pausing requests", attrs...)
}

func (e *exchange) write(level slog.Level, message string, attrs ...slog.Attr) {
	method := e.req.Method
	if method == "" {
		method = http.MethodGet
	}
	attrs = append([]slog.Attr{
		slog.String("operation", e.call.Operation),
		slog.String("method", method),
		slog.String("path", redacted(e.req.URL, e.op)),
		slog.Int("attempt", e.attempt),
	}, attrs...)
	// Not with the context of a caller that may have gone.
	e.t.logger.LogAttrs(context.WithoutCancel(e.req.Context()), level, message, attrs...)
}

// outcome is what the last attempt came to.
func (e *exchange) outcome() []slog.Attr {
	if e.err != nil {
		err := e.err
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			err = outer.Err // without the URL, whose query may be private
		}
		return []slog.Attr{slog.String("error", err.Error())}
	}
	attrs := []slog.Attr{slog.Int("status", e.resp.StatusCode)}
	if id := e.resp.Header.Get("X-Request-Id"); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	return attrs
}

// redacted is the path of a URL as it may be logged: without what is secret in it.
func redacted(u *url.URL, op *operation.Operation) string {
	if op == nil || !op.SecretPath {
		return u.EscapedPath()
	}
	pattern, path := strings.Split(op.Path, "/"), strings.Split(u.EscapedPath(), "/")
	from := len(path) - len(pattern) // behind the base path
	for i, segment := range pattern {
		if at := from + i; at >= 0 && strings.Contains(segment, "{") {
			path[at] = "REDACTED"
		}
	}
	return strings.Join(path, "/")
}
