package transport

import (
	"runtime/debug"
	"testing"
)

// What go version -m shows of programs that were built in each of these ways. The test of a consumer
// in package api looks into real ones.
func TestVersion(t *testing.T) {
	t.Parallel()
	other := &debug.Module{Path: "github.com/mangadex-go/mangadex/api/other", Version: "v9.0.0"}
	for name, test := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"without modules":         {nil, "devel"},
		"of something else":       {&debug.BuildInfo{Main: debug.Module{Path: "shelf.example", Version: "v1.0.0"}, Deps: []*debug.Module{other}}, "devel"},
		"in the checkout":         {&debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}}, "devel"},
		"by go install":           {&debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}}, "0.1.0"},
		"in a checkout with tags": {&debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.1-0.20261129201530-0123456789ab+dirty"}}, "0.1.1-0.20261129201530-0123456789ab+dirty"},
		"as a dependency":         {&debug.BuildInfo{Main: debug.Module{Path: "shelf.example", Version: "v7.0.0"}, Deps: []*debug.Module{other, {Path: module, Version: "v0.2.0"}}}, "0.2.0"},
		"replaced by a folder":    {&debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v0.2.0", Replace: &debug.Module{Path: "../mangadex", Version: "(devel)"}}}}, "devel"},
		"replaced by a fork":      {&debug.BuildInfo{Deps: []*debug.Module{{Path: module, Version: "v0.2.0", Replace: &debug.Module{Path: "github.com/shelf-example/mangadex", Version: "v0.2.1"}}}}, "0.2.1"},
	} {
		if got := versionIn(test.info); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
