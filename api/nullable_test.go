package api_test

import (
	"fmt"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// What is printed of a field of an edit is its value.
func TestNullableString(t *testing.T) {
	t.Parallel()
	var unset api.Nullable[string]
	for want, v := range map[string]any{
		"unset": unset, "null": api.Null[string](), "a text": api.Value("a text"), "2020": api.Value(2020),
		"[en ja]": api.Value([]string{"en", "ja"}),
	} {
		if got := fmt.Sprintf("%v %s %v", v, v, []any{v}); got != want+" "+want+" ["+want+"]" {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if v, ok := api.Value("x").Get(); v != "x" || !ok {
		t.Error(v, ok)
	}
	if v, ok := api.Null[string]().Get(); v != "" || ok {
		t.Error(v, ok)
	}
	if got := fmt.Sprintf("%+v", api.CoverEdit{Volume: api.Value("3"), Description: api.Null[string]()}); got != `{"description":null,"version":0,"volume":"3"}` {
		t.Error(got)
	}
}
