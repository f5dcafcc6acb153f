package cli_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/api/cli"
)

func TestParseLanguages(t *testing.T) {
	t.Parallel()
	if codes, err := cli.ParseLanguages("en, pt-br,ja-ro"); err != nil || strings.Join(codes, "|") != "en|pt-br|ja-ro" {
		t.Errorf("%q, %v", codes, err)
	}
	for _, text := range []string{"", "en,", "english", "EN", "e", "pt_br", "en de"} {
		if codes, err := cli.ParseLanguages(text); err == nil {
			t.Errorf("%q: %q", text, codes)
		}
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var terminal, out bytes.Buffer
		bar := cli.NewBar(&terminal)
		shows := func(what string, want ...string) {
			t.Helper()
			got := terminal.String()
			for _, text := range want {
				if !strings.Contains(got, text) {
					t.Errorf("%s: the terminal gets %q, want %q", what, got, text)
				}
			}
			if len(want) == 0 && got != "" {
				t.Errorf("%s: the terminal gets %q", what, got)
			}
			terminal.Reset()
		}
		const clear = "\x1b[2K\r"
		bar.Print(&out, "a line before everything")
		bar.Show(cli.Progress{}) // nothing is known yet
		shows("nothing")
		bar.Show(cli.Progress{What: "c1", TotalPages: 4})
		shows("the beginning", "c1  0 kB", "[....................]", "(0/4)")
		time.Sleep(time.Second)
		bar.Show(cli.Progress{What: strings.Repeat("ä", 41), Pages: 2, TotalPages: 4, Bytes: 3_000_000})
		shows("half", strings.Repeat("ä", 31)+"…  3.0 MB", " 50% [=========>..........] (2/4)")
		bar.Show(cli.Progress{Pages: 3, TotalPages: 4, Bytes: 4_000_000})
		shows("too soon")
		bar.Print(&out, "a line")
		shows("a line", clear)
		time.Sleep(time.Second)
		bar.Show(cli.Progress{Pages: 4, TotalPages: 5, Bytes: 4_000_000})
		shows("more than was said", "(4/5)")
		bar.Show(cli.Progress{Pages: 6, TotalPages: 5, Bytes: 9_000_000})
		shows("the end", "9.0 MB 100%", "[====================]", "(5/5)", "\n")
		bar.Print(&out, "a line after everything")
		bar.Close()
		shows("after the end")
		if out.String() != "a line before everything\na line\na line after everything\n" {
			t.Errorf("out: %q", out.String())
		}

		bar = cli.NewBar(&terminal)
		bar.Show(cli.Progress{What: "c1", Pages: 1, TotalPages: 4})
		shows("the beginning", "(1/4)")
		bar.Close()
		shows("an interruption", "\n")
	})
	var none *cli.Bar
	var out bytes.Buffer
	none.Show(cli.Progress{Pages: 1, TotalPages: 2, Bytes: 3})
	none.Print(&out, "a line")
	none.Close()
	if out.String() != "a line\n" {
		t.Errorf("out: %q", out.String())
	}
}
