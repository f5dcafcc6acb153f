package main

import (
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: login", "whoami", "logout", "MANGADEX_CLIENT_ID", "-credentials", "-live")
}

// TestEmbedded logs in on the fake MangaDex in the program.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	for _, args := range [][]string{nil, {"login"}, {"whoami"}} {
		if r := p.Succeeds(p.Run(args...)); !strings.HasPrefix(r.Stdout, "reader, ROLE_MEMBER") {
			t.Errorf("%v: %s", args, r.Stdout)
		}
	}
	if r := p.Succeeds(p.Run("logout")); !strings.Contains(r.Stderr, "the fake MangaDex of each run is a new one") {
		t.Errorf("logout: %s", r.Stderr)
	}
}

// TestWays logs in in every way, comes back without the password, and logs out.
func TestWays(t *testing.T) {
	t.Parallel()
	type env = map[string]string
	tests := []struct {
		name  string
		set   func(p *exampletest.Program, a apitest.Account) (args []string)
		grant string
		later env // what later runs need to have
	}{
		{"personal client and password from the environment", func(p *exampletest.Program, a apitest.Account) []string {
			return nil
		}, "password", nil},
		{"legacy session from the environment", func(p *exampletest.Program, a apitest.Account) []string {
			delete(p.Env, "MANGADEX_CLIENT_ID")
			delete(p.Env, "MANGADEX_CLIENT_SECRET")
			return nil
		}, "legacy_login", nil},
		{"personal client and refresh token from the environment", func(p *exampletest.Program, a apitest.Account) []string {
			_, refresh, err := p.Server.Tokens().Issue(a.Username)
			if err != nil {
				t.Fatal(err)
			}
			delete(p.Env, "MANGADEX_USERNAME")
			delete(p.Env, "MANGADEX_PASSWORD")
			p.Env["MANGADEX_REFRESH_TOKEN"] = refresh
			return nil
		}, "refresh_token", nil},
		{"everything from a file", func(p *exampletest.Program, a apitest.Account) []string {
			clear(p.Env)
			path := p.Write("me.json", `{"client_id": "`+a.ClientID+`", "client_secret": "`+a.ClientSecret+`", "username": "`+a.Username+`", "password": "`+a.Password+`"}`)
			return []string{"-credentials", path}
		}, "password", nil},
		{"client from a file and password from the terminal", func(p *exampletest.Program, a apitest.Account) []string {
			clear(p.Env)
			p.Stdin = a.Password + "\n"
			path := p.Write("me.json", `{"client_id": "`+a.ClientID+`", "client_secret": "`+a.ClientSecret+`"}`)
			return []string{"-credentials", path, "-username", a.Username}
		}, "password", nil},
		{"legacy session and password from the terminal", func(p *exampletest.Program, a apitest.Account) []string {
			clear(p.Env)
			p.Stdin = a.Password
			return []string{"-username", a.Username}
		}, "legacy_login", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.grant == "legacy_login" && !hasLegacyLogin() {
				t.Skip("the document has no operation LegacyLogin")
			}
			p := exampletest.New(t)
			args := test.set(p, p.Server.Account)
			tokens := p.Path("login", "token.json")
			args = append(args, "-token", tokens)
			r := p.Succeeds(p.Run(args...))
			if !strings.HasPrefix(r.Stdout, "reader, ROLE_MEMBER") {
				t.Errorf("stdout: %s", r.Stdout)
			}
			if p.Server.Tokens().Grants(test.grant) == 0 {
				t.Errorf("nothing was granted for %s", test.grant)
			}
			if info, err := os.Stat(tokens); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("the token file: %v, %v", info, err)
			}

			passwords := p.Server.Tokens().Grants("password") + p.Server.Tokens().Grants("legacy_login")
			delete(p.Env, "MANGADEX_USERNAME")
			delete(p.Env, "MANGADEX_PASSWORD")
			delete(p.Env, "MANGADEX_REFRESH_TOKEN")
			p.Stdin = ""
			args = withoutUsername(args)
			p.Server.Tokens().ExpireAccess()
			if r := p.Succeeds(p.Run(append(args, "whoami")...)); !strings.HasPrefix(r.Stdout, "reader") {
				t.Errorf("whoami: %s", r.Stdout)
			}
			if n := p.Server.Tokens().Grants("password") + p.Server.Tokens().Grants("legacy_login"); n != passwords {
				t.Errorf("a password was used again")
			}

			p.Succeeds(p.Run(append(args, "logout")...))
			if _, err := os.Stat(tokens); !os.IsNotExist(err) {
				t.Errorf("the token is still there: %v", err)
			}
			if refresh := p.Server.Tokens().Refresh(); test.grant == "password" && len(refresh) > 0 {
				t.Error("the server still knows the refresh token")
			}
		})
	}
}

func hasLegacyLogin() bool {
	return slices.ContainsFunc(api.Operations(), func(op api.Operation) bool { return op.ID == "LegacyLogin" })
}

func withoutUsername(args []string) []string {
	for i, arg := range args {
		if arg == "-username" {
			return append(args[:i:i], args[i+2:]...)
		}
	}
	return args
}

// TestFlagBeforeEnvironment keeps the login where the flag says.
func TestFlagBeforeEnvironment(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	p.Env["MANGADEX_TOKEN_FILE"] = p.Path("env.json")
	p.Succeeds(p.Run())
	p.Succeeds(p.Run("-token", p.Path("flag.json")))
	for _, name := range []string{"env.json", "flag.json"} {
		if _, err := os.Stat(p.Path(name)); err != nil {
			t.Error(err)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	bad := exampletest.Bad[*exampletest.Program]
	tests := []exampletest.BadInput[*exampletest.Program]{
		bad("wrong client id", func(p *exampletest.Program) []string {
			p.Env["MANGADEX_CLIENT_ID"] = "personal-client-nobody"
			return nil
		}, 1, "client is refused", "check id and secret"),
		bad("wrong password", func(p *exampletest.Program) []string {
			p.Env["MANGADEX_PASSWORD"] = "not the password"
			return nil
		}, 1, "wrong username or password", "check them"),
		bad("wrong password from the terminal", func(p *exampletest.Program) []string {
			p.Stdin = "not the password\n"
			return []string{"-username", "reader"}
		}, 1, "wrong username or password"),
		bad("no password from the terminal", func(p *exampletest.Program) []string {
			return []string{"-username", "reader"}
		}, 1, "no password of reader on the standard input"),
		bad("half of the credentials", func(p *exampletest.Program) []string {
			delete(p.Env, "MANGADEX_PASSWORD")
			return nil
		}, 1, "MANGADEX_USERNAME but not MANGADEX_PASSWORD"),
		bad("nothing to log in with", func(p *exampletest.Program) []string {
			clear(p.Env)
			return nil
		}, 2, "nothing to log in with", "see login -h"),
		bad("full disk", func(p *exampletest.Program) []string {
			return []string{"-token", p.FullDisk(0) + "/token.json"}
		}, 1, "token not saved"),
		bad("read-only folder", func(p *exampletest.Program) []string {
			return []string{"-token", p.ReadOnly() + "/token.json"}
		}, 1, "token", "choose another place, or change its permissions"),
		bad("login that expires", func(p *exampletest.Program) []string {
			p.Succeeds(p.Run())
			p.Server.Tokens().EndSessions()
			delete(p.Env, "MANGADEX_USERNAME")
			delete(p.Env, "MANGADEX_PASSWORD")
			return []string{"whoami"}
		}, 1, "the login has ended", "log in again", "expired"),
		bad("full disk for the output", func(p *exampletest.Program) []string {
			p.FullOutput()
			return nil
		}, 1, exampletest.FullDiskText, "make room there"),
		bad("server error", func(p *exampletest.Program) []string {
			p.Server.Fail(apitest.Fault{Operation: "Token", Status: http.StatusServiceUnavailable, Count: apitest.Always})
			return nil
		}, 1, "503", "nothing is lost, try again later"),
		bad("no file with credentials", func(p *exampletest.Program) []string {
			return []string{"-credentials", p.Path("nothing.json")}
		}, 1, "nothing.json", exampletest.NoFileText),
		bad("damaged file with credentials", func(p *exampletest.Program) []string {
			return []string{"-credentials", p.Write("me.json", `{"username": "reader", "pass`)}
		}, 1, "me.json is not a JSON object"),
		bad("unknown name in the file with credentials", func(p *exampletest.Program) []string {
			return []string{"-credentials", p.Write("me.json", `{"user": "reader"}`)}
		}, 1, `unknown name "user"`),
		bad("unknown action", func(p *exampletest.Program) []string {
			return []string{"signin"}
		}, 2, `"signin" is none of login, whoami, logout`),
		bad("name for whoami", func(p *exampletest.Program) []string {
			return []string{"-username", "reader", "whoami"}
		}, 2, "-username is for login, not for whoami"),
		bad("late help", func(p *exampletest.Program) []string {
			return []string{"logout", "-h"}
		}, 2, "-h comes too late; flags go before everything else"),
		bad("unknown flag", func(p *exampletest.Program) []string {
			return []string{"-password", "secret"}
		}, 2, "not defined: -password", "see login -h"),
	}
	if runtime.GOOS != "windows" { // which has no modes
		tests = append(tests, bad("file with credentials that everybody can read", func(p *exampletest.Program) []string {
			path := p.Write("me.json", `{"username": "reader", "password": "x"}`)
			if err := os.Chmod(path, 0o644); err != nil {
				p.Env["chmod"] = err.Error()
			}
			return []string{"-credentials", path}
		}, 1, "me.json", "chmod 600"))
	}
	if hasLegacyLogin() {
		tests = append(tests, bad("captcha", func(p *exampletest.Program) []string {
			delete(p.Env, "MANGADEX_CLIENT_ID")
			delete(p.Env, "MANGADEX_CLIENT_SECRET")
			p.Server.Fail(apitest.Fault{Operation: "LegacyLogin", Captcha: true, Count: apitest.Always})
			return nil
		}, 1, "captcha", "log in at https://mangadex.org in a browser"))
	} else {
		t.Log("the document has no operation LegacyLogin, which asks for a captcha")
	}
	tests = append(tests, exampletest.Unconnected()...)
	tests = append(tests, exampletest.Each(exampletest.LoggedOut(), func(p *exampletest.Program, set func(*exampletest.Program) []string) []string {
		return append(set(p), "whoami")
	})...)
	for _, test := range tests {
		t.Run(test.Name, func(t *testing.T) {
			t.Parallel()
			p := exampletest.New(t)
			args := test.Set(p)
			r := p.Run(args...)
			p.Fails(r, "login", test.Status, test.Texts...)
			if strings.Count(r.Stderr, "try again later") > 1 {
				t.Errorf("the advice comes twice: %s", r.Stderr)
			}
		})
	}
}

// TestDamagedToken keeps what is left of a damaged file, and the next login works.
func TestDamagedToken(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	path := p.Write("token.json", `{"version": 1, "refresh`)
	p.Fails(p.Run("-token", path), "login", 1, "damaged", "renamed to "+path+".damaged-1")
	if kept, err := os.ReadFile(path + ".damaged-1"); err != nil || !strings.Contains(string(kept), "refresh") {
		t.Errorf("the damaged file holds %q, %v", kept, err)
	}
	p.Succeeds(p.Run("-token", path))
}

// TestInterrupted ends a login that takes long. The login from before stays.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := exampletest.New(t)
	path := p.Path("token.json")
	p.Succeeds(p.Run("-token", path))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p.Stdin = "another password\n"
	url, asked := exampletest.Silent(t)
	run := p.Start("-server", url, "-token", path, "-username", "reader")
	run.Interrupt(asked)
	p.Fails(run.Wait(), "login", 130, "interrupted")
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the token file has changed: %v", err)
	}
}
