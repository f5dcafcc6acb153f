package upload_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
	"github.com/mangadex-go/mangadex/api/upload"
)

// TestMain runs the tests, or the program that they start and kill.
func TestMain(m *testing.M) {
	if url := os.Getenv("UPLOAD_TEST_SERVER"); url != "" {
		if err := program(context.Background(), url, os.Getenv("UPLOAD_TEST_FOLDER")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program uploads a chapter as a user's program would, and goes on with a session that is open.
func program(ctx context.Context, url, dir string) error {
	client, err := api.New(url, api.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+os.Getenv("UPLOAD_TEST_TOKEN"))
		return nil
	}))
	if err != nil {
		return err
	}
	session, err := upload.Begin(ctx, client, title, nil)
	var open *upload.OpenError
	if errors.As(err, &open) {
		session, err = open.Resume()
	}
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.AddPages(ctx, upload.Folder(os.DirFS(dir))); err != nil {
		return err
	}
	_, err = session.Commit(ctx, draft, upload.TermsAccepted)
	return err
}

// TestCrash kills a program in the middle of its upload, and lets a second one finish.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range numbered(33) {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(picture("png", name)), 0o600))
	}
	for _, test := range []struct {
		name  string
		op    string
		n     int
		fault fault    // of the request during which the program is killed
		done  bool     // it is carried out all the same
		late  []string // pages that come in when the second program sends some
	}{
		{"begun, and it does not know", begin, 1, fault{}, true, nil},
		{"pages are not in", sendPages, 1, fault{Drop: true}, false, nil},
		{"pages are in, and it does not know", sendPages, 2, fault{}, true, nil},
		{"half of the pages are in", sendPages, 3, fault{RefusePages: 5}, true, nil},
		{"pages come in later", sendPages, 4, fault{Drop: true}, false, numbered(33)[30:]},
		{"all but committed", commit, 1, fault{Drop: true}, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, apitest.WithTitles(10))
			reached, killed := make(chan struct{}), make(chan struct{})
			var crashed, arrived atomic.Bool
			srv.mu.Lock()
			srv.fault = func(op string, n int) fault {
				if op == sendPages && crashed.Load() && arrived.CompareAndSwap(false, true) && test.late != nil {
					srv.put(t, test.late...)
				}
				if op != test.op || n != test.n || !crashed.CompareAndSwap(false, true) {
					return fault{}
				}
				f := test.fault
				f.Then = func() {
					close(reached)
					<-killed
				}
				if !test.done {
					f.Then()
				}
				return f
			}
			srv.mu.Unlock()

			run := func() (*exec.Cmd, error) {
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), "UPLOAD_TEST_SERVER="+srv.URL, "UPLOAD_TEST_TOKEN="+srv.token, "UPLOAD_TEST_FOLDER="+dir)
				cmd.Stderr = os.Stderr
				return cmd, cmd.Start()
			}
			crashing, err := run()
			must(t, err)
			<-reached
			must(t, crashing.Process.Kill())
			if err := crashing.Wait(); err == nil {
				t.Fatal("the first program ended well")
			}
			close(killed)

			finishing, err := run()
			must(t, err)
			must(t, finishing.Wait())
			srv.published(t, numbered(33)...)
		})
	}
}
