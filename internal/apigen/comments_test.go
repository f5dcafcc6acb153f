package main

import (
	"strings"
	"testing"
)

func TestWrapComments(t *testing.T) {
	t.Parallel()
	long := strings.TrimSpace(strings.Repeat("word ", 30))
	for name, test := range map[string]struct{ code, want string }{
		"short":          {"// one\nvar x = 1\n", "// one\nvar x = 1\n"},
		"indented code":  {"//\tcode " + long + "\n", "//\tcode " + long + "\n"},
		"a long literal": {"x := \"// " + long + "\"\n", "x := \"// " + long + "\"\n"},
		"long": {
			"\t// " + long + " end\n\tX int\n",
			"\t//" + strings.Repeat(" word", 19) + "\n\t//" + strings.Repeat(" word", 11) + " end\n\tX int\n",
		},
		"one long word": {"// " + strings.Repeat("x", 120) + "\n", "// " + strings.Repeat("x", 120) + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(wrapComments([]byte(test.code))); got != test.want {
				t.Errorf("wrapComments(%q) = %q, want %q", test.code, got, test.want)
			}
		})
	}
}
