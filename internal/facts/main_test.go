package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What go generate would write is what is there.
func TestCurrent(t *testing.T) {
	t.Parallel()
	want, err := generate(tags, reasons)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "api", "apitest", "facts.gen.go"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("api/apitest/facts.gen.go is not what go generate writes, or %v", err)
	}
}

func TestBadTables(t *testing.T) {
	t.Parallel()
	const id = "391b0423-d847-456f-aff0-8b0cfc03066b"
	for _, test := range []struct{ tags, reasons, want string }{
		{"genre\tAction", "", "2 cells"},
		{"genre\tAction\tx", "", "the id is none"},
		{"genre\tAction\t" + id + "\ngenre\tDrama\t" + id, "", "twice"},
		{"", "manga\tSpam\t" + id + "\tyes", `"yes"`},
	} {
		if _, err := generate(test.tags, test.reasons); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v does not tell about %s", err, test.want)
		}
	}
}
