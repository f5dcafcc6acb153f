package authn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/authn"
)

// bytesAnswer is a transport whose answers are what a fuzzer says.
type bytesAnswer struct {
	status      int
	contentType string
	date        string
	body        []byte
}

func (a bytesAnswer) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {a.contentType}, "Date": {a.date}},
		Body:   io.NopCloser(strings.NewReader(string(a.body))), ContentLength: -1,
	}, nil
}

// Whatever a server answers to a renewal: no panic, no secret in an error, and a refresh token is
// dropped only when the answer refuses it.
func FuzzTokenAnswer(f *testing.F) {
	const fuzzDate = "Thu, 07 May 2026 12:00:00 GMT"
	for _, body := range []string{
		"", " ", "null", "[]", "{}", "{", `"text"`, "<html><h1>502</h1>", "\x00\xff",
		`{"access_token":"new","expires_in":900,"refresh_token":"next","refresh_expires_in":2414162,"token_type":"Bearer","not-before-policy":0}`,
		`{"access_token":"new","expires_in":"900"}`, `{"access_token":"new","expires_in":1e99,"refresh_token":"next"}`, `{"access_token":"new","expires_in":-1}`,
		`{"access_token":"` + jwt("1e300") + `"}`, `{"access_token":"` + jwt("-1") + `"}`, `{"access_token":"a\u0000b"}`, `{"access_token":1}`,
		`{"access_token":"new","error":"invalid_grant"}`, `{"error":"invalid_grant","error_description":"Token is not active"}`, `{"error":["invalid_grant"]}`, `{"error":"invalid_client"}`,
		`{"result":"ok","token":{"session":"new","refresh":"next"}}`, `{"result":"ok","token":{"session":"new"}}`, `{"token":[]}`, `{"token":{"session":["new"]}}`,
		`{"result":"error","errors":[{"id":"x","status":401,"title":"unauthorized","detail":"stored-refresh-token-of-the-fuzz-test"}]}`,
		"access_token=new&refresh_token=next", `{"access_token":"new","access_token":""}`, `{"Access_Token":"new"}`,
	} {
		for _, status := range []uint16{200, 400, 401, 429, 500} {
			f.Add(status, "application/json", fuzzDate, []byte(body), status%2 == 0)
		}
	}
	f.Add(uint16(200), "text/plain; charset=\xff", "x", []byte("access_token=new"), false)
	f.Add(uint16(307), "application/x-www-form-urlencoded", "", []byte("error=invalid_grant"), false)
	const stored = "stored-refresh-token-of-the-fuzz-test"
	f.Fuzz(func(t *testing.T, status uint16, contentType, date string, body []byte, legacy bool) {
		code := 200 + int(status)%400
		ctx := context.Background()
		store := authn.NewMemoryStore()
		if err := store.Save(ctx, authn.Token{RefreshToken: stored}); err != nil {
			t.Fatal(err)
		}
		options := []authn.Option{
			authn.WithHTTPClient(&http.Client{Transport: bytesAnswer{code, contentType, date, body}}),
			authn.WithStore(store), authn.WithoutCheck(),
		}
		if !legacy {
			options = append(options, authn.WithPersonalClient(clientID, clientSecret))
		}
		s, err := authn.New(options...)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		token, err := s.Token(ctx)
		kept, loadErr := store.Load(ctx)
		if loadErr != nil {
			t.Fatal(loadErr)
		}
		if kept.RefreshToken != s.RefreshToken() {
			t.Errorf("the store has %d bytes, the session %d", len(kept.RefreshToken), len(s.RefreshToken()))
		}
		if err == nil {
			if token.AccessToken == "" || token.RefreshToken == "" || kept != token || code >= 300 {
				t.Errorf("status %d gives %v, the store has %v", code, token, kept)
			}
			if decoded, err := authn.DecodeToken(authn.EncodeToken(kept)); err != nil || decoded.AccessToken != kept.AccessToken || decoded.RefreshToken != kept.RefreshToken {
				t.Errorf("the token does not survive a file: %v", err)
			}
			req, err := http.NewRequestWithContext(ctx, "GET", mockAPI+"/user/me", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Edit(ctx, req); err == nil {
				header := req.Header.Get("Authorization")
				if strings.ContainsFunc(strings.TrimPrefix(header, "Bearer "), func(r rune) bool { return r <= ' ' || r >= 0x7f }) || header == "Bearer " {
					t.Errorf("a header that cannot be sent: %q", header)
				}
			}
			return
		}
		if strings.Contains(err.Error(), stored) || strings.Contains(err.Error(), clientSecret) {
			t.Errorf("the error shows a secret: %v", err)
		}
		if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("the error has more than one line: %q", err)
		}
		refused := errors.Is(err, authn.ErrRefreshTokenRefused)
		if kept.RefreshToken == "" || refused && kept.RefreshToken != stored {
			t.Errorf("the store has %v after one refusal: %v", kept, err)
		}
		if quoted, _ := json.Marshal(kept.RefreshToken); kept.RefreshToken != stored && !bytes.Contains(body, quoted) {
			t.Error("another refresh token than the answer has, and an error")
		}
		var realm struct {
			Error string `json:"error"`
		}
		if refused && !legacy && (json.Unmarshal(body, &realm) != nil || realm.Error != "invalid_grant") {
			t.Errorf("refused because of %q", body)
		}
		if refused && legacy && code != 401 {
			t.Errorf("refused because of status %d", code)
		}
	})
}

// Whatever is in a token file: no panic, and the file is not lost.
func FuzzTokenFile(f *testing.F) {
	for _, token := range []authn.Token{{}, {RefreshToken: "r"}, testToken("a")} {
		f.Add(authn.EncodeToken(token))
	}
	for _, text := range []string{"", "{}", `{"version":1,"refresh_token":""}`, `{"version":1,"refresh_token":"r","expiry":"x"}`, "\x00", `{"version":1,"access_token":"a\n"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		store := authn.NewFileStore(path)
		token, err := store.Load(ctx)
		where := path
		if err != nil {
			if !errors.Is(err, authn.ErrDamaged) || token != (authn.Token{}) {
				t.Fatalf("got %v, %v", token, err)
			}
			where += ".damaged-1"
		} else if token.AccessToken == "" && token.RefreshToken == "" {
			t.Error("an empty token is taken for one")
		}
		if got, err := os.ReadFile(where); err != nil || string(got) != string(data) {
			t.Errorf("the file is lost: %v", err)
		}
		if err != nil {
			return
		}
		if err := store.Save(ctx, token); err != nil {
			t.Fatal(err)
		}
		again, err := store.Load(ctx)
		if err != nil || again.AccessToken != token.AccessToken || again.RefreshToken != token.RefreshToken || !again.Expiry.Equal(token.Expiry) {
			t.Errorf("got %#v, %v; want %#v", again, err, token)
		}
	})
}
