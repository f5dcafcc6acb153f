package command_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/examples/internal/command"
)

func TestParseLanguages(t *testing.T) {
	t.Parallel()
	if codes, err := command.ParseLanguages("en, pt-br,ja-ro"); err != nil || strings.Join(codes, "|") != "en|pt-br|ja-ro" {
		t.Errorf("%q, %v", codes, err)
	}
	for _, text := range []string{"", "en,", "english", "EN", "e", "pt_br", "en de"} {
		if codes, err := command.ParseLanguages(text); err == nil {
			t.Errorf("%q: %q", text, codes)
		}
	}
}

// TestWriteToElsewhere leaves alone what is no file.
func TestWriteToElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(path string) error {
		return new(command.Command).WriteTo(path, func(w io.Writer) error { _, err := io.WriteString(w, "text"); return err })
	}
	if err := write(dir); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Errorf("a folder: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skip("there are no pipes with a name here")
	}
	read := make(chan string, 1)
	go func() {
		content, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		read <- string(content)
	}()
	if err := write(pipe); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Fatalf("the pipe is now %v, %v", info, err)
	}
	if content := <-read; content != "text" {
		t.Errorf("from the pipe comes %q", content)
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var terminal, out bytes.Buffer
		bar := command.NewBar(&terminal)
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
		bar.Show(command.Progress{}) // nothing is known yet
		shows("nothing")
		bar.Show(command.Progress{What: "c1", All: 4})
		shows("the beginning", "c1  0 kB", "[....................]", "(0/4)")
		time.Sleep(time.Second)
		bar.Show(command.Progress{What: strings.Repeat("ä", 41), Pages: 2, All: 4, Bytes: 3_000_000})
		shows("half", strings.Repeat("ä", 31)+"…  3.0 MB", " 50% [=========>..........] (2/4)")
		bar.Show(command.Progress{Pages: 3, All: 4, Bytes: 4_000_000})
		shows("too soon")
		bar.Print(&out, "a line")
		shows("a line", clear)
		time.Sleep(time.Second)
		bar.Show(command.Progress{Pages: 4, All: 5, Bytes: 4_000_000})
		shows("more than was said", "(4/5)")
		bar.Show(command.Progress{Pages: 6, All: 5, Bytes: 9_000_000})
		shows("the end", "9.0 MB 100%", "[====================]", "(5/5)", "\n")
		bar.Print(&out, "a line after everything")
		bar.Close()
		shows("after the end")
		if out.String() != "a line before everything\na line\na line after everything\n" {
			t.Errorf("out: %q", out.String())
		}

		bar = command.NewBar(&terminal)
		bar.Show(command.Progress{What: "c1", Pages: 1, All: 4})
		shows("the beginning", "(1/4)")
		bar.Close()
		shows("an interruption", "\n")
	})
	var none *command.Bar
	var out bytes.Buffer
	none.Show(command.Progress{Pages: 1, All: 2, Bytes: 3})
	none.Print(&out, "a line")
	none.Close()
	if out.String() != "a line\n" {
		t.Errorf("out: %q", out.String())
	}
}
