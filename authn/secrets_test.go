package authn_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/authn"
)

// A vault has the secrets of a test, in all the forms in which they could show.
type vault map[string]string

func (v vault) add(name, secret string) {
	quoted, _ := json.Marshal(secret)
	for form, text := range map[string]string{
		"": secret, " in JSON": strings.Trim(string(quoted), `"`), " in Go": strings.Trim(fmt.Sprintf("%q", secret), `"`),
		" in a form": url.QueryEscape(secret), " in HTML": html.EscapeString(secret),
		" in base64": base64.StdEncoding.EncodeToString([]byte(secret)), " in hex": fmt.Sprintf("%x", secret), " in HEX": fmt.Sprintf("%X", secret),
		" as bytes": strings.Trim(fmt.Sprint([]byte(secret)), "[]"),
	} {
		v[name+form] = text
	}
}

// mustNotShow fails the test if a text has a secret in it.
func (v vault) mustNotShow(t *testing.T, where, text string) {
	t.Helper()
	for name, secret := range v {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the %s:\n%s", where, name, text)
		}
	}
}

// print writes a value in every way that a program may.
func (v vault) print(t *testing.T, where string, value any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%o"} {
		v.mustNotShow(t, where+" with "+verb, fmt.Sprintf(verb, value))
	}
	v.mustNotShow(t, where+" with Sprint", fmt.Sprint(value, []any{value}, map[string]any{"k": value}, struct{ Field any }{value}))
	if data, err := json.Marshal(value); err == nil {
		v.mustNotShow(t, where+" in JSON", string(data))
	}
	if data, err := json.Marshal(map[string]any{"value": value, "list": []any{value}}); err == nil {
		v.mustNotShow(t, where+" in JSON", string(data))
	}
	if data, err := xml.Marshal(value); err == nil {
		v.mustNotShow(t, where+" in XML", string(data))
	}
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).Encode(value); err == nil {
		v.mustNotShow(t, where+" in gob", buffer.String())
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("test", "value", value, "list", []any{value}, slog.Group("group", "value", value))
	}
	v.mustNotShow(t, where+" in a log", log.String())
	if err, ok := value.(error); ok {
		for ; err != nil; err = errors.Unwrap(err) {
			v.mustNotShow(t, where+" as an error", err.Error())
		}
	}
	// A copy of what a pointer points to has other methods.
	if r := reflect.ValueOf(value); r.Kind() == reflect.Pointer && !r.IsNil() && strings.HasSuffix(r.Type().Elem().PkgPath(), "/authn") {
		below := r.Elem().Interface()
		v.mustNotShow(t, "what lies under "+where, fmt.Sprintf("%v %+v %#v", below, below, below))
	}
}

// Nothing that this package gives out, prints or logs shows a secret, whatever the server answers.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	for _, legacy := range []bool{false, true} {
		t.Run(fmt.Sprintf("legacy=%v", legacy), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testSecretsDoNotShow(t, legacy) })
		})
	}
}

func testSecretsDoNotShow(t *testing.T, legacy bool) {
	secrets := vault{}
	secrets.add("password", password)
	secrets.add("client secret", clientSecret)
	f := newFake()
	f.lifetime = 365 * 24 * time.Hour
	w := f.pipe(t)
	protocol, endpoint := w.protocol(legacy)
	var log bytes.Buffer
	memory, file := authn.NewMemoryStore(), authn.NewFileStore(filepath.Join(t.TempDir(), "token"))
	options := []authn.Option{protocol, w.withPassword(), authn.WithStore(memory), authn.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))}
	for _, option := range options {
		secrets.print(t, "an option", option)
	}
	s := w.session(t, options...)
	c := w.use(t, s)
	secrets.print(t, "a new session", s)
	mustLogIn(t, s)
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets.add("access token", token.AccessToken)
	secrets.add("refresh token", token.RefreshToken)
	if err := file.Save(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	status, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"session": s, "token": token, "pointer to a token": &token, "token only": authn.Token{RefreshToken: token.RefreshToken}, "memory store": memory, "file store": file,
		"status": status, "permissions": s.Permissions(), "client": authn.Use(s), "logout option": authn.LocalOnly,
	} {
		secrets.print(t, name, value)
	}

	// Servers that repeat what they were sent, or let a new token show.
	fresh := "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjF9.invented-signature-of-a-new-token"
	secrets.add("new token", fresh)
	echo := func(status int, contentType, format string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			var in struct{ Token, Password string }
			_ = json.Unmarshal(body, &in)
			sent := strings.Join([]string{form.Get("refresh_token"), form.Get("password"), form.Get("client_secret"), in.Token, in.Password, r.Header.Get("Authorization")}, " ")
			quoted, _ := json.Marshal(sent + " " + string(body) + " " + fresh)
			text := strings.NewReplacer("$json", string(quoted), "$html", html.EscapeString(sent), "$form", string(body), "$plain", sent, "$fresh", fresh).Replace(format)
			answerWith(status, contentType, text)(rw, r)
		}
	}
	for _, answer := range []http.HandlerFunc{
		echo(400, "application/json", `{"error":$json,"error_description":$json}`),
		echo(401, "application/json", `{"error":"invalid_client","error_description":$json}`),
		echo(500, "application/json", `{"errors":[{"title":$json,"detail":$json}]}`),
		echo(502, "text/html", "<html>$html"), echo(502, "text/html", "<html>$form"), echo(502, "text/plain", "$plain"),
		echo(200, "text/html", "<html>$html $plain $form"), echo(200, "text/plain", "$plain"), echo(200, "text/plain", "access_token=$fresh"),
		echo(200, "application/json", `{"access_token":"$fresh","token":{"session":"$fresh`),
		echo(200, "application/json", `{"access_token":"$fresh","expires_in":"$fresh","token":"$fresh"}`),
		echo(307, "text/plain", "$plain"),
	} {
		time.Sleep(10 * time.Minute) // longer than any pause
		f.fail(endpoint, answer)
		w.revokeAccess()
		err := c.FollowManga(t.Context(), w.manga)
		if err == nil {
			continue // a 401 led to a login, or nonsense was no hindrance
		}
		secrets.print(t, "an error of a renewal", err)
		var tokenErr *authn.TokenError
		if !errors.As(err, &tokenErr) {
			t.Fatalf("got %v", err)
		}
		secrets.print(t, "a TokenError", tokenErr)
		time.Sleep(10 * time.Minute)
		mustLogIn(t, s)
		if !strings.Contains(endpoint, "/auth/") {
			f.fail(endpoint, answer)
			secrets.print(t, "an error of LoginWith", s.LoginWith(t.Context(), username, password))
		}
		f.fail("GET /auth/check", answer)
		_, err = s.Check(t.Context())
		sent := maps.Clone(secrets) // what the API makes of it is its own affair
		maps.DeleteFunc(sent, func(name, _ string) bool { return strings.HasPrefix(name, "new token") })
		sent.print(t, "an error of Check", err)
		time.Sleep(10 * time.Minute)
		token, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		secrets.add("access token", token.AccessToken)
		secrets.add("refresh token", token.RefreshToken)
	}
	for _, endpoint := range endpoints(legacy) {
		f.fail(endpoint, echo(500, "text/html", "<html>$form $plain"))
	}
	err = s.Logout(t.Context())
	if err == nil {
		t.Error("no error of Logout")
	}
	secrets.print(t, "an error of Logout", err)
	var unauthorized *authn.UnauthorizedError
	if err := c.FollowManga(t.Context(), w.manga); !errors.As(err, &unauthorized) {
		t.Errorf("got %v", err)
	}
	secrets.print(t, "an UnauthorizedError", unauthorized)
	// Package fmt calls no methods of unexported fields.
	if err := s.LoginWith(t.Context(), username, password); err != nil {
		t.Fatal(err)
	}
	token, _ = s.Token(t.Context())
	secrets.add("access token", token.AccessToken)
	secrets.add("refresh token", token.RefreshToken)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%t"} {
		for _, app := range []any{struct{ s *authn.Session }{s}, struct{ store authn.Store }{memory}, &struct{ s any }{s}} {
			secrets.mustNotShow(t, "an unexported field with "+verb, fmt.Sprintf(verb, app))
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged, so that this shows nothing about logs")
	}
	secrets.mustNotShow(t, "the log", log.String())
}

// A password that a server shows in a page is found in the forms in which it is escaped.
func TestSecretsInPages(t *testing.T) {
	t.Parallel()
	secrets := vault{}
	secrets.add("password", password)
	f := newFake()
	w := f.inMemory()
	s := w.session(t)
	for _, escape := range []func(string) string{same[string], url.QueryEscape, url.PathEscape, html.EscapeString, func(s string) string { return fmt.Sprintf("%q", s) }} {
		f.fail("POST /auth/login", answerWith(500, "text/html", "<html><p>password: "+escape(password)+"</p></html>"))
		err := s.LoginWith(t.Context(), username, password)
		if err == nil || !strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("got %v", err)
		}
		secrets.mustNotShow(t, "an error", err.Error())
	}
}

func TestTokenText(t *testing.T) {
	t.Parallel()
	full := testToken("a")
	for text, token := range map[string]authn.Token{
		"authn.Token(empty)":                                          {},
		"authn.Token(refresh token only)":                             {RefreshToken: "refresh"},
		"authn.Token(until 2030-01-02T03:04:05Z, with refresh token)": full,
		"authn.Token(until 2030-01-02T03:04:05Z)":                     {AccessToken: "access", Expiry: full.Expiry},
	} {
		if got := fmt.Sprintf("%v", token); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
		data, err := json.Marshal(token)
		if err != nil || string(data) != `"`+text+`"` {
			t.Errorf("JSON: %s, %v", data, err)
		}
		// What was encoded by accident must not be taken for a token.
		if err := json.Unmarshal(data, &token); err == nil {
			t.Error("a token was decoded that has no secrets in it")
		}
	}
	got, err := authn.DecodeToken(authn.EncodeToken(full))
	if err != nil || got != full {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSessionText(t *testing.T) {
	t.Parallel()
	w := newFake().inMemory()
	s := w.session(t, w.withPassword())
	if got := s.String(); got != "authn.Session(no token yet)" {
		t.Errorf("got %s", got)
	}
	mustLogIn(t, s)
	if got := s.String(); !strings.HasPrefix(got, "authn.Session(token until ") {
		t.Errorf("got %s", got)
	}
	if err := s.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.String(); got != "authn.Session(anonymous)" {
		t.Errorf("got %s", got)
	}
	if got := fmt.Sprint(new(authn.Session), (*authn.Session)(nil)); !strings.Contains(got, "not made by New") {
		t.Errorf("got %s", got)
	}
}
