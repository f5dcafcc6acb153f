package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mangadex-go/mangadex/internal/operation"
	"github.com/mangadex-go/mangadex/internal/origin"
)

// Do sends a request of the caller's own to the server of the client, as the typed methods do: through
// request editors, middleware, limits and repetitions. It is for what no method does, such as an
// operation that this package does not know yet:
//
//	req, err := http.NewRequest(http.MethodGet, "/manga/"+id.String()+"/similar?limit=10", nil)
//	…
//	resp, err := client.Do(ctx, req)
//
// A URL without a host is relative to the server; one with a host must be at the server. The caller
// closes the body of the answer, which is not bounded. An answer that is not a success is an *[Error].
// So is a success that does not come from the API, but is a page of a proxy.
//
// The request is not changed. It is repeated after a failure only if its body can be read again
// (GetBody), as that of [http.NewRequest] can, and if its method is idempotent.
func (c *Client) Do(ctx context.Context, req *http.Request, editors ...RequestEditorFn) (*http.Response, error) {
	r, err := c.own(ctx, req)
	if err != nil {
		return nil, err
	}
	return c.stream(ctx, r, editors)
}

// own makes a request of the caller's one of the client's.
func (c *Client) own(ctx context.Context, given *http.Request) (*request, error) {
	if given == nil || given.URL == nil {
		return nil, errors.New("api: Do was given no request")
	}
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	req := given.Clone(ctx)
	if req.Header == nil { // of a request that was put together by hand
		req.Header = http.Header{}
	}
	if req.URL.Host == "" && req.URL.Opaque == "" {
		u := c.server.URL()
		path, raw := strings.TrimLeft(req.URL.Path, "/"), strings.TrimLeft(req.URL.EscapedPath(), "/")
		u.Path, u.RawPath = u.Path+"/"+path, u.EscapedPath()+"/"+raw
		u.RawQuery, u.ForceQuery = req.URL.RawQuery, req.URL.ForceQuery
		req.URL, req.Host = u, u.Host
	}
	if !c.server.ContainsRequest(req) {
		return nil, fmt.Errorf("api: Do: %s%s is not below the server of this client, %s; send the request with a client of its own", origin.Of(req.URL), req.URL.Path, c.Server())
	}
	op := operation.Of(req)
	if op == nil {
		op = &operation.Operation{ID: "Do", Method: req.Method, Path: req.URL.Path}
	}
	return &request{op: op, Request: req}, nil
}

type headerKey struct{}

// KeepHeader is a request editor that stores the header of the answer where h points to. It does so for
// failures, too, but an [Error] has the header itself.
//
//	var header http.Header
//	list, err := client.SearchManga(ctx, params, api.KeepHeader(&header))
func KeepHeader(h *http.Header) RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		if h != nil {
			*req = *req.WithContext(context.WithValue(req.Context(), headerKey{}, h))
		}
		return nil
	}
}
