package command_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mangadex-go/mangadex/examples/internal/command"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	const id = "0b8a3c52-7d14-4f6e-9a2b-1c3d5e7f9a0b"
	tests := []struct {
		text, kind string
		ok         bool
	}{
		{id, "", true},
		{strings.ToUpper(id), "", true},
		{"https://mangadex.org/title/" + id, "title", true},
		{"https://mangadex.org/title/" + id + "/a-name?tab=art#x", "title", true},
		{"https://www.mangadex.org/chapter/" + id + "/3", "chapter", true},
		{"http://mangadex.org/group/" + id + "/", "group", true},
		{"https://mangadex.org/title/" + id[1:], "title", false},
		{"https://mangadex.org/" + id, "", false},
		{"https://mangadex.org", "", false},
		{"https://notmangadex.org/title/" + id, "", false},
		{"https://mangadex.org.example/title/" + id, "", false},
		{"{" + id + "}", "", false},
		{strings.ReplaceAll(id, "-", ""), "", false},
		{"a bakery", "", false},
		{"://", "", false},
		{"", "", false},
	}
	for _, test := range tests {
		got, kind, ok := command.ParseID(test.text)
		if ok != test.ok || ok && (kind != test.kind || got.String() != id) {
			t.Errorf("%q: %v, %q, %v", test.text, got, kind, ok)
		}
	}
}

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

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "file")
	write := func(text string, err error) error {
		return command.WriteFile(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return err
		})
	}
	if err := write("first", nil); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := write("second", broken); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "first" {
		t.Errorf("%q, %v", content, err)
	}
	if err := write("third", nil); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "third" {
		t.Errorf("%q, %v", content, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var terminal, out bytes.Buffer
		bar := command.NewBar(&terminal)
		bar.Show(0, 4, 0)
		time.Sleep(time.Second)
		bar.Show(1, 4, 3_000_000)
		bar.Show(2, 4, 4_000_000) // too soon
		bar.Print(&out, "a line")
		bar.Show(4, 4, 9_000_000)
		bar.Close()
		const clear = "\r\x1b[K"
		want := clear + "[" + strings.Repeat(" ", 30) + "] 0/4 pages  0 kB  0 kB/s" +
			clear + "[" + strings.Repeat("=", 7) + strings.Repeat(" ", 23) + "] 1/4 pages  3.0 MB  3.0 MB/s" +
			clear +
			clear + "[" + strings.Repeat("=", 30) + "] 4/4 pages  9.0 MB  9.0 MB/s" +
			clear
		if terminal.String() != want || out.String() != "a line\n" {
			t.Errorf("the terminal shows %q, want %q; out: %q", terminal.String(), want, out.String())
		}
	})
	var none *command.Bar
	var out bytes.Buffer
	none.Show(1, 2, 3)
	none.Print(&out, "a line")
	none.Close()
	if out.String() != "a line\n" {
		t.Errorf("out: %q", out.String())
	}
}
