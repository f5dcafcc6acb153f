package main

import (
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/examples/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestHelp(t *testing.T) {
	t.Parallel()
	exampletest.Embedded(t).Helps("usage: quickstart", "-live", "-language")
}

// TestQuickstart runs it as the README does, with a title, and in another language.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	for _, test := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"10 of ", " titles:\n", "  chapter 1, on another site, ", "  chapter 2, 6 pages, "}},
		{[]string{"wandering", "bakery"}, []string{"1 of 1 titles:\n", "\nSeriso's Wandering Bakery\n"}},
		{[]string{"-language", "pt-br"}, []string{" titles:\n"}},
	} {
		r := p.Succeeds(p.Run(test.args...))
		for _, want := range append(test.want, "\n  chapter ", "\nthe pages of chapter ", "  http://127.0.0.1:", "/data/") {
			if !strings.Contains(r.Stdout, want) {
				t.Errorf("%q: the output lacks %q:\n%s", test.args, want, r.Stdout)
			}
		}
		if r.Stderr != "" {
			t.Errorf("%q: stderr: %s", test.args, r.Stderr)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		args   []string
		status int
		texts  []string
	}{
		{"no title", []string{"no", "such", "title"}, 1, []string{`no title matches "no such title" with chapters in "en"`, "try another word or -language"}},
		{"an id", []string{"0b8a3c52-7d14-4f6e-9a2b-1c3d5e7f9a0b"}, 1, []string{"no title matches", "try another word"}},
		{"language without titles", []string{"-language", "xx"}, 1, []string{`there is no title with chapters in "xx"`, "try another -language"}},
		{"title in another language", []string{"-language", "xx", "bakery"}, 1, []string{`no title matches "bakery" with chapters in "xx"`}},
		{"language that is none", []string{"-language", "english"}, 2, []string{`-language is "english"; it is a code such as en or pt-br`, "see quickstart -h"}},
		{"no language", []string{"-language", ""}, 2, []string{`-language is ""`}},
		{"flag without a value", []string{"-language"}, 2, []string{"flag needs an argument: -language"}},
		{"unknown flag", []string{"-lives"}, 2, []string{"not defined: -lives", "see quickstart -h"}},
		{"wrong value", []string{"-live=maybe"}, 2, []string{`"maybe" for -live`}},
		{"late flag", []string{"bakery", "-live"}, 2, []string{"-live comes too late; flags go before the title"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := exampletest.Embedded(t)
			r := p.Run(test.args...)
			p.Fails(r, "quickstart", test.status, test.texts...)
			if r.Stdout != "" {
				t.Errorf("stdout: %s", r.Stdout)
			}
		})
	}
}

func TestNoNetwork(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	p.Env["HTTPS_PROXY"] = "http://127.0.0.1:1"
	p.Fails(p.Run("-live"), "quickstart", 1, "MangaDex cannot be reached; check the network, or run without -live", exampletest.RefusedText)
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	url, asked := exampletest.Silent(t)
	p.Env["HTTPS_PROXY"] = url
	run := p.Start("-live")
	run.Interrupt(asked)
	p.Fails(run.Wait(), "quickstart", 130, "interrupted")
}

// TestFullDisk has no room for the output.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	p := exampletest.Embedded(t)
	p.FullOutput()
	p.Fails(p.Run(), "quickstart", 1, exampletest.FullDiskText)
}
