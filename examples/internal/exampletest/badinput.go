package exampletest

import "maps"

// A BadInput is something that programs have to refuse, in one line and with a status. P is what
// the tests of a program use in place of a [Program].
type BadInput[P any] struct {
	Name   string
	Set    func(P) (args []string)
	Status int
	Texts  []string // in the line
}

// Bad returns a case.
func Bad[P any](name string, set func(P) (args []string), status int, texts ...string) BadInput[P] {
	return BadInput[P]{name, set, status, texts}
}

// Unconnected are the cases of a program that gets no connection to the server.
func Unconnected() []BadInput[*Program] {
	return []BadInput[*Program]{
		{"no network", func(*Program) []string {
			return []string{"-server", "http://127.0.0.1:1"}
		}, 1, []string{"http://127.0.0.1:1 cannot be reached", "check the network: dial tcp"}},
		{"MangaDex without a network", func(p *Program) []string {
			p.Env["HTTPS_PROXY"] = "http://127.0.0.1:1"
			return []string{"-live"}
		}, 1, []string{"MangaDex cannot be reached", "check the network: proxyconnect tcp"}},
		{"server that is no URL", func(*Program) []string {
			return []string{"-server", "localhost"}
		}, 2, []string{`-server "localhost" needs a scheme, https or http, and a host; give one like http://`}},
		{"server with a password", func(*Program) []string {
			return []string{"-server", "http://reader:hidden@127.0.0.1:1"}
		}, 2, []string{"-server must not hold a user name or a password; take them out; see"}},
		{"server without an address", func(*Program) []string {
			return []string{"-server", ""}
		}, 2, []string{"-server is empty; give it a value, or leave it out"}},
		{"two servers", func(*Program) []string {
			return []string{"-live", "-server", "http://127.0.0.1:1"}
		}, 2, []string{"-live and -server exclude each other"}},
	}
}

// LoggedOut are the cases of a program that needs a login, has the credentials in the environment,
// and cannot log in.
func LoggedOut() []BadInput[*Program] {
	return []BadInput[*Program]{
		{"wrong password", func(p *Program) []string {
			p.Env["MANGADEX_PASSWORD"] = "not the password"
			return nil
		}, 1, []string{"wrong username or password", "check them"}},
		{"nobody is logged in", func(p *Program) []string {
			clear(p.Env)
			return nil
		}, 1, []string{"nobody is logged in; log in with examples/login"}},
		{"expired login", func(p *Program) []string {
			_, refresh, err := p.Server.Tokens().Issue(p.Server.Account.Username)
			if err != nil {
				p.t.Error(err)
			}
			p.Server.Tokens().EndSessions()
			p.Env["MANGADEX_REFRESH_TOKEN"] = refresh
			delete(p.Env, "MANGADEX_USERNAME")
			delete(p.Env, "MANGADEX_PASSWORD")
			return nil
		}, 1, []string{"the login has ended; log in again", "expired"}},
		{"full disk for the login", func(p *Program) []string {
			return []string{"-token", p.FullDisk(0) + "/token.json"}
		}, 1, []string{"token not saved", FullDiskText, "make room there"}},
		{"read-only folder for the login", func(p *Program) []string {
			return []string{"-token", p.ReadOnly() + "/token.json"}
		}, 1, []string{"token", "choose another place, or change its permissions"}},
		{"one file for two things", func(p *Program) []string {
			return []string{"-token", p.Write("mine.json", "{}"), "-credentials", "./mine.json"}
		}, 2, []string{"-credentials and -token are the same file; give each its own"}},
		{"damaged login", func(p *Program) []string {
			return []string{"-token", p.Write("token.json", "{")}
		}, 1, []string{"damaged", "renamed to"}},
	}
}

// Each makes cases those of a test that has something else in place of a [Program], or arguments of
// its own beside those that are set.
func Each[P any](cases []BadInput[*Program], args func(p P, set func(*Program) []string) []string) []BadInput[P] {
	var all []BadInput[P]
	for _, c := range cases {
		all = append(all, BadInput[P]{c.Name, func(p P) []string { return args(p, c.Set) }, c.Status, c.Texts})
	}
	return all
}

// Healthy returns a function that brings back how the program and its server are now.
func (p *Program) Healthy() (restore func()) {
	env, stdout := maps.Clone(p.Env), p.Stdout
	return func() {
		p.Env, p.Stdout = env, stdout
		p.Server.Heal()
	}
}
