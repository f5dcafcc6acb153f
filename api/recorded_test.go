package api_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// TestRecorded decodes recorded answers of the server through their typed calls. The recordings
// are not part of the module.
func TestRecorded(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../shared/recorded/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no answers have been recorded; put them beside the checkout as ../shared/recorded/OPERATION-STATUS-NUMBER.json, with the operation as MangaDex calls it")
	}
	names := map[string]string{}
	for _, row := range table(t) {
		names[row.upstream] = row.name
	}
	form := regexp.MustCompile(`^(.+)-(\d{3})-\d+\.json$`)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			match := form.FindStringSubmatch(filepath.Base(file))
			if match == nil || names[match[1]] == "" {
				t.Fatal("the name of the file is not that of an operation")
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			status, err := strconv.Atoi(match[2])
			if err != nil {
				t.Fatal(err)
			}
			op := operation(t, names[match[1]])
			client := answering(t, status, "application/json", string(body))
			result, err := invoke(t, client, op.ID, &filler{t: t})
			if status >= 400 {
				var failure *api.Error
				if !errors.As(err, &failure) || failure.StatusCode != status || errors.Is(err, api.ErrNotJSON) {
					t.Errorf("the error is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			unchanged(t, body, result)
		})
	}
}

// unchanged checks that nothing of an answer is lost in the value it was decoded to, and that the
// value is the same one after another round.
func unchanged(t *testing.T, body []byte, result any) {
	t.Helper()
	again, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range lost(t, body, again) {
		t.Error(loss)
	}
}
