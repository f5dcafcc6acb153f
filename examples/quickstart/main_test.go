package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestQuickstart(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), nil, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" titles:\n", "  chapter ", "the pages of chapter ", "/data/"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestQuickstartNothingFound(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"no", "such", "title"}, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), `no title matches "no such title"`) {
		t.Errorf("got %v", err)
	}
}

func TestQuickstartHelp(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(out.String(), "-live") {
		t.Errorf("the help lacks -live:\n%s", out.String())
	}
}

func TestQuickstartWrongFlag(t *testing.T) {
	t.Parallel()
	var usage *usageError
	if err := run(t.Context(), []string{"-lives"}, &strings.Builder{}); !errors.As(err, &usage) {
		t.Errorf("got %v", err)
	}
}
