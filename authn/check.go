package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/answer"
)

// A Status is what MangaDex says about the account of a session.
type Status struct {
	Roles       []string // such as ROLE_MEMBER
	Permissions Permissions
}

// Permissions are names like manga.create. They depend on the roles of the account, on exceptions
// for it, and on the scopes of the client.
type Permissions []string

// Has reports whether the account has a permission.
func (p Permissions) Has(name string) bool { return slices.Contains(p, name) }

// Permissions returns what the last check found: the check of the newest token, unless [WithoutCheck]
// is given, or [Session.Check]. It sends nothing, and returns nil before the first check.
func (s *Session) Permissions() Permissions { return slices.Clone(s.state().permissions) }

// Check asks MangaDex whether it knows the session (GET /auth/check). If it does not, Check asks once
// more with a new token. If MangaDex does not know that one either, the session turns anonymous and the
// error is an [UnauthorizedError] with the reason of the server. If the server fails, the error is an
// *[api.Error] or a network error, and the session stays as it is.
func (s *Session) Check(ctx context.Context) (Status, error) {
	var status Status
	err := s.ask(ctx, "/auth/check", func(b *bearer) (err error) {
		if status, err = s.check(ctx, b); err == nil {
			s.change(func(st state) state { return st.checked(b, slices.Clone(status.Permissions)) })
		}
		return err
	})
	return status, err
}

// User returns the account of the session (GET /user/me). Errors are those of [Session.Check]; but if
// GET /auth/check has said yes to the token, the session goes on, and the error is an *[api.Error].
func (s *Session) User(ctx context.Context) (*api.User, error) {
	var user *api.User
	err := s.ask(ctx, "/user/me", func(b *bearer) error {
		got, err := s.get(ctx, "GetCurrentUser", "/user/me", b)
		if err != nil {
			return err
		}
		var parsed api.UserResponse
		if err := json.Unmarshal(got.body, &parsed); err != nil {
			return fmt.Errorf("authn: GET /user/me: the answer cannot be understood: %w", err)
		}
		user = &parsed.Data
		return nil
	})
	return user, err
}

// ask carries out a request with the token, and once more with a new one if that was rejected.
func (s *Session) ask(ctx context.Context, path string, request func(*bearer) error) error {
	for attempt := 1; ; attempt++ {
		st, err := s.acquire(ctx, false)
		if err = goodEnough(st, err); err != nil {
			if e := (*ended)(nil); errors.As(err, &e) {
				return e.refuse(http.MethodGet, path)
			}
			return err
		}
		b := st.bearer
		err = request(b)
		var no *rejection
		switch {
		case !errors.As(err, &no):
			return err
		case attempt == 1:
			s.doubt(b)
			continue
		case path != "/auth/check" && b.verified():
			return no.reason
		}
		ended := false
		s.change(func(st state) state {
			if ended = st.bearer == b; ended {
				return st.rejected(no)
			}
			return st
		})
		if ended {
			s.hasEnded(no)
		}
		return &UnauthorizedError{Method: http.MethodGet, Path: path, Err: no}
	}
}

// verify asks the API about a new token. Only a clear no is an error.
func (s *Session) verify(ctx context.Context, b *bearer) (Permissions, error) {
	if s.withoutCheck {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	status, err := s.check(ctx, b)
	if errors.As(err, new(*rejection)) {
		return nil, err
	}
	if err != nil {
		s.logger.Warn("authn: the new token could not be verified", "error", err)
	}
	return status.Permissions, nil
}

// check asks about a token. The error is a rejection if the answer is a clear no.
func (s *Session) check(ctx context.Context, b *bearer) (Status, error) {
	got, err := s.get(ctx, "CheckAuth", "/auth/check", b)
	if err != nil {
		return Status{}, err
	}
	var parsed struct {
		IsAuthenticated *bool    `json:"isAuthenticated"`
		Roles           []string `json:"roles"`
		Permissions     []string `json:"permissions"`
	}
	if err := json.Unmarshal(got.body, &parsed); err != nil || parsed.IsAuthenticated == nil {
		return Status{}, errors.New("authn: GET /auth/check: the answer does not say whether the token is valid")
	}
	if !*parsed.IsAuthenticated {
		return Status{}, &rejection{path: "/auth/check"}
	}
	b.isKnown()
	return Status{parsed.Roles, parsed.Permissions}, nil
}

// get sends a request to the API with a token. A 401 is a rejection.
func (s *Session) get(ctx context.Context, operation, path string, b *bearer) (*reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.String()+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", b.header)
	got, err := s.sender.do(req)
	switch {
	case err != nil:
		return nil, fmt.Errorf("authn: GET %s: %w", path, err)
	case got.ok() && got.isObject():
		return got, nil
	case got.ok():
		return nil, fmt.Errorf("authn: GET %s: %w: %s", path, ErrNotJSON, got.describe(b.AccessToken))
	}
	body := []byte(answer.ScrubKnown(string(got.body), b.AccessToken))
	apiErr := &api.Error{
		Operation: operation, Method: http.MethodGet, Path: req.URL.Path, StatusCode: got.status,
		RequestID: got.header.Get("X-Request-Id"), RetryAfter: retryAfter(got), Header: got.header, Body: body[:min(len(body), 4<<10)],
	}
	var parsed api.ErrorResponse
	if json.Unmarshal(body, &parsed) == nil {
		apiErr.Errors = parsed.Errors
	}
	if answer.Is(got.status, answer.ErrUnauthorized) {
		return nil, &rejection{path, apiErr}
	}
	return nil, apiErr
}
