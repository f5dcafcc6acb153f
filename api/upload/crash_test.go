package upload_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mangadex-go/mangadex/api"
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
	client, err := api.New(url)
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
		fault fault // of the request during which the program is killed
	}{
		{"begun, and it does not know", begin, 1, fault{lose: true}},
		{"pages are not in", sendPages, 1, fault{drop: true}},
		{"pages are in, and it does not know", sendPages, 2, fault{lose: true}},
		{"half of the pages are in", sendPages, 3, fault{lose: true, take: func(i int, _ string) bool { return i%2 == 0 }}},
		{"pages come in later", sendPages, 4, fault{late: true}},
		{"all but committed", commit, 1, fault{drop: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := &server{}
			reached := make(chan struct{})
			killed := make(chan struct{})
			first := true
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if first && operation(req) == test.op && srv.count(test.op) == test.n-1 {
					first = false
					// The request is read and acted on before the program ends.
					srv.fault = func(string, int) fault { return test.fault }
					answered := srv.serve(httptest.NewRecorder(), req)
					srv.fault = nil
					close(reached)
					<-killed
					if answered {
						t.Error("the request was answered")
					}
					panic(http.ErrAbortHandler)
				}
				if operation(req) == sendPages {
					srv.takeLate()
				}
				srv.ServeHTTP(w, req)
			}))
			defer web.Close()

			run := func() (*exec.Cmd, error) {
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), "UPLOAD_TEST_SERVER="+web.URL, "UPLOAD_TEST_FOLDER="+dir)
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
