package authn_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/authn"
)

var envNames = []string{"CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "REFRESH_TOKEN", "TOKEN_FILE"}

// clearEnv takes out what the environment of the test may have.
func clearEnv(t *testing.T) {
	for _, name := range envNames {
		t.Setenv("MANGADEX_"+name, "")
	}
}

func TestFromEnv(t *testing.T) {
	for where, make := range map[string]func(*testing.T) *world{"httpmock": mockWorld, "apitest": apitestWorld} {
		for name, test := range map[string]struct {
			variables []string
			legacy    bool
			grants    string // what is sent
		}{
			"password":                      {[]string{"CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD"}, false, "password"},
			"refresh token":                 {[]string{"CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"}, false, "refresh_token"},
			"password, session endpoints":   {[]string{"USERNAME", "PASSWORD"}, true, "/auth/login"},
			"token file, session endpoints": {[]string{"TOKEN_FILE"}, true, "/auth/refresh"},
		} {
			t.Run(where+"/"+name, func(t *testing.T) {
				clearEnv(t)
				w := make(t)
				kept := w.kept(t, test.legacy)
				path := filepath.Join(t.TempDir(), "token")
				store := authn.NewFileStore(path)
				if err := store.Save(t.Context(), authn.Token{RefreshToken: kept}); err != nil {
					t.Fatal(err)
				}
				values := map[string]string{"CLIENT_ID": w.id, "CLIENT_SECRET": w.secret, "USERNAME": w.username, "PASSWORD": w.password, "REFRESH_TOKEN": kept, "TOKEN_FILE": path}
				for _, name := range test.variables {
					t.Setenv("MANGADEX_"+name, values[name])
				}
				before := len(w.requests())
				s := w.loggedIn(t, authn.FromEnv())
				if first := w.requests()[before]; first.form.Get("grant_type") != test.grants && first.path != test.grants {
					t.Errorf("%s %v", first.path, first.form["grant_type"])
				}
				if slices.Contains(test.variables, "TOKEN_FILE") {
					mustHold(t, s, store, s.RefreshToken())
				}
			})
		}
	}
	t.Run("nothing", func(t *testing.T) {
		clearEnv(t)
		s, err := authn.New(authn.FromEnv())
		if err != nil || !s.Anonymous() {
			t.Errorf("got %v, %v", s, err)
		}
	})
	t.Run("not clean", func(t *testing.T) {
		clearEnv(t)
		t.Setenv("MANGADEX_REFRESH_TOKEN", "only-a-test\n")
		if _, err := authn.New(authn.FromEnv()); err == nil || !strings.HasSuffix(err.Error(), "(from the environment)") {
			t.Errorf("got %v", err)
		}
	})
	for _, pair := range [][2]string{{"CLIENT_ID", "CLIENT_SECRET"}, {"CLIENT_SECRET", "CLIENT_ID"}, {"USERNAME", "PASSWORD"}, {"PASSWORD", "USERNAME"}} {
		t.Run("only "+pair[0], func(t *testing.T) {
			clearEnv(t)
			t.Setenv("MANGADEX_"+pair[0], "only-a-test")
			_, err := authn.New(authn.FromEnv())
			if err == nil || !strings.Contains(err.Error(), "not MANGADEX_"+pair[1]) || strings.Contains(err.Error(), "only-a-test") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFromFile(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, text string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "mangadex.json")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		const quoted = `"pass word/&+\"<only-a-test>"`
		for _, text := range []string{
			`{"MANGADEX_USERNAME":"reader","MANGADEX_PASSWORD":` + quoted + `}`,
			`{"username":"reader","password":` + quoted + `,"token_file":""}`,
			"\ufeff" + `{"username":"reader","password":` + quoted + `}`,
		} {
			w := newFake().inMemory()
			w.loggedIn(t, authn.FromFile(write(t, text, 0o600)))
		}
	})
	for name, test := range map[string]struct {
		text string
		mode os.FileMode
		says []string
	}{
		"unknown name":   {`{"username":"reader","pasword":"only-a-test"}`, 0o600, []string{`"pasword"`, "password"}},
		"half a pair":    {`{"client_id":"only-a-test"}`, 0o600, []string{"MANGADEX_CLIENT_SECRET"}},
		"empty half":     {`{"username":"reader","password":""}`, 0o600, []string{"MANGADEX_PASSWORD"}},
		"twice":          {`{"refresh_token":"only-a-test","MANGADEX_REFRESH_TOKEN":"only-a-test"}`, 0o600, []string{"refresh_token twice"}},
		"not clean":      {`{"refresh_token":"only-a-test\n"}`, 0o600, []string{"refresh token", "line break"}},
		"not a string":   {`{"refresh_token":["only-a-test"]}`, 0o600, []string{"refresh_token", "string"}},
		"not an object":  {`["only-a-test"]`, 0o600, []string{"JSON object"}},
		"null":           {`null`, 0o600, []string{"JSON object"}},
		"not JSON":       {`{"password":"only-a-test"`, 0o600, []string{"JSON object", "byte"}},
		"empty":          {``, 0o600, []string{"JSON object"}},
		"world-readable": {`{"refresh_token":"only-a-test"}`, 0o644, []string{"0644", "chmod 600"}},
		"world-writable": {`{"refresh_token":"only-a-test"}`, 0o602, []string{"0602", "chmod 600"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.mode != 0o600 && runtime.GOOS == "windows" {
				t.Skip("no modes")
			}
			path := write(t, test.text, test.mode)
			_, err := authn.New(authn.FromFile(path))
			if err == nil || strings.Contains(err.Error(), "only-a-test") {
				t.Fatalf("got %v", err)
			}
			for _, says := range append(test.says, path) {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("got %v, want it to say %q", err, says)
				}
			}
		})
	}
	for path, says := range map[string]string{"": "path is empty", t.TempDir(): "is a directory", filepath.Join(t.TempDir(), "missing"): "missing"} {
		if _, err := authn.New(authn.FromFile(path)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the file %q: got %v, want it to say %q", path, err, says)
		}
	}
}
