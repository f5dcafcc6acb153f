package athome_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mangadex-go/mangadex/api/athome"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	must(t, os.WriteFile(path, data, 0o666))
}

// TestSaveAgain has folders in every state that an earlier run or somebody else may have left, and
// counts the pages that are fetched to put them right.
func TestSaveAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, w *world, dir string)
		want   []int // pages that are fetched
	}{
		"nothing to do": {func(*testing.T, *world, string) {}, nil},
		"missing": {func(_ *testing.T, _ *world, dir string) {
			os.Remove(dir + "/002.png")
			os.Remove(dir + "/009.png")
		}, []int{1, 8}},
		"other bytes": {func(t *testing.T, w *world, dir string) {
			wrong := bytes.Clone(w.pages[3])
			wrong[500] ^= 1
			write(t, dir+"/004.png", wrong)
		}, []int{3}},
		"cut off":      {func(t *testing.T, w *world, dir string) { write(t, dir+"/004.png", w.pages[3][:500]) }, []int{3}},
		"empty":        {func(t *testing.T, _ *world, dir string) { write(t, dir+"/004.png", nil) }, []int{3}},
		"another page": {func(t *testing.T, w *world, dir string) { write(t, dir+"/004.png", w.pages[4]) }, []int{3}},
		"of another kind besides": {func(t *testing.T, w *world, dir string) {
			write(t, dir+"/004.jpg", w.saver[3])
			write(t, dir+"/005.img", w.saver[4])
		}, nil},
		"of another kind instead": {func(t *testing.T, w *world, dir string) {
			os.Remove(dir + "/004.png")
			write(t, dir+"/004.jpg", w.saver[3])
		}, []int{3}},
		"left by a killed run": {func(t *testing.T, w *world, dir string) {
			write(t, dir+"/.page-0123456789abcdef.part", w.pages[3][:100])
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10, 1000)
			dir := filepath.Join(t.TempDir(), "new", "folder")
			must(t, w.open(t).Save(t.Context(), dir))
			before := w.tally()
			test.change(t, w, dir)
			must(t, w.open(t).Save(t.Context(), dir))
			checkFolder(t, dir, w.pages, ".png")
			w.checkFetched(t, before, test.want)
		})
	}
}

// TestSaveKeepsOthers makes sure that files that have nothing to do with the chapter stay.
func TestSaveKeepsOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 100)
	dir := t.TempDir()
	others := []string{"notes.txt", "004.png", "01.png", "0001.png", "001.txt", "001", "001.PNG.bak", ".page-1", "page-1.part", "cover.jpg"}
	for _, name := range others {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	must(t, w.open(t).Save(t.Context(), dir))
	for _, name := range others {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != name {
			t.Errorf("%s is gone or different", name)
		}
	}
	checkTree(t, dir, len(others)+3)
}

// TestSaveWithoutHash has pages whose names carry no hash. Their files are known by their head and end, which
// takes no request.
func TestSaveWithoutHash(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault fault // in the second run
		want  []int
	}{
		"sizes":           {none, []int{2}},
		"no sizes":        {vague, []int{2}},
		"no other answer": {status(http.StatusMethodNotAllowed), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3, 1000)
				for i := range w.names {
					w.names[i] = strings.Repeat("x", i+1) + ".png"
				}
				dir := t.TempDir()
				must(t, w.open(t).Save(t.Context(), dir))
				write(t, dir+"/003.png", w.pages[2][:999])
				before := w.tally()
				again := w.open(t)
				w.fault = func(query) fault { return test.fault }
				err := again.Save(t.Context(), dir)
				if test.want == nil {
					if lost := pageErrors(err); !slices.Equal(lost, []int{2}) {
						t.Errorf("pages %v are lost: %v", lost, err)
					}
					return
				}
				must(t, err)
				checkFolder(t, dir, w.pages, ".png")
				w.checkFetched(t, before, test.want)
			})
		})
	}
}

// TestSaveKinds names files after what they are, not after what their names or nodes say.
func TestSaveKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, 0)
	kinds := map[string]string{
		"\xff\xd8\xff\xe0":           ".jpg",
		"\x89PNG\r\n\x1a\n":          ".png",
		"GIF89a":                     ".gif",
		"RIFF\x10\x00\x00\x00WEBPVP": ".webp",
		"\x00\x00\x00 ftypavif\x00":  ".avif",
		"BM":                         ".bmp",
		"\x00\x01\x02\x03":           ".png", // nobody knows: what the node says
	}
	var want []string
	for head, ext := range kinds {
		w.pages = append(w.pages, []byte(head+strings.Repeat("\x00", 600)+"\xff\xd9IEND\xaeB`\x82;"))
		w.names = append(w.names, "y"+strings.Repeat("x", len(w.names))+".tiff")
		want = append(want, ext)
	}
	w.fault = func(query) fault { return fault{Header: http.Header{"Content-Type": {"image/png"}}} }
	dir := t.TempDir()
	must(t, w.open(t).Save(t.Context(), dir))
	for i, ext := range want {
		stem := dir + "/00" + string(rune('1'+i))
		if _, err := os.Stat(stem + ext); err != nil {
			found, _ := filepath.Glob(stem + ".*")
			t.Errorf("page %d should be %s: %v", i, ext, found)
		}
	}
}

// TestSaveLoses has pages that cannot be had. The others are there, and the error names the lost.
func TestSaveLoses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 60, 1000)
		w.fault = func(q query) fault {
			if q.Page%13 == 5 {
				return []fault{{Status: 500}, cut, garble}[q.Try%3]
			}
			return none
		}
		dir := t.TempDir()
		err := w.open(t, athome.WithParallel(3)).Save(t.Context(), dir)
		if lost := pageErrors(err); !slices.Equal(lost, []int{5, 18, 31, 44, 57}) || strings.Contains(err.Error(), "in a row") {
			t.Errorf("pages %v are lost: %v", lost, err)
		}
		for i, page := range w.pages {
			data, err := os.ReadFile(filepath.Join(dir, pageName(i)))
			if i%13 == 5 != os.IsNotExist(err) || err == nil && !bytes.Equal(data, page) {
				t.Errorf("page %d: %v", i, err)
			}
		}
		checkTree(t, dir, 55)
	})
}

// TestSaveGivesUp has nodes that are of no use. It does not try all pages on all of them.
func TestSaveGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 300, 1000)
		w.fault = func(query) fault { return status(500) }
		dir := t.TempDir()
		err := w.open(t, athome.WithParallel(4)).Save(t.Context(), dir)
		if lost := pageErrors(err); len(lost) < 4 || len(lost) > 12 || !strings.Contains(err.Error(), "too many pages in a row could not be had") {
			t.Errorf("pages %v are lost: %v", lost, err)
		}
		if got := w.called("GetAtHomeServer"); got > 20 {
			t.Errorf("%d at-home calls", got)
		}
		checkTree(t, dir, 0)
	})
}

// TestSaveErrors has folders that cannot be written to. Nodes are not blamed, nor asked again.
func TestSaveErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dir      func(t *testing.T) string
		want     string
		requests int
	}{
		"no name": {func(*testing.T) string { return "" }, "the name of the folder is empty; . is the current one", 0},
		"a file": {func(t *testing.T) string {
			write(t, t.TempDir()+"/x", nil)
			path := t.TempDir() + "/x"
			write(t, path, nil)
			return path
		}, "not a directory", 0},
		"a folder in the way": {func(t *testing.T) string {
			dir := t.TempDir()
			must(t, os.MkdirAll(dir+"/001.png/x", 0o777))
			return dir
		}, "001.png", 1},
		"not writable": {func(t *testing.T) string {
			if os.Getuid() == 0 || runtime.GOOS == "windows" {
				t.Skip("everything is writable here; run it on Unix and not as root")
			}
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o555))
			return dir
		}, "permission denied", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1, 1000)
			err := w.open(t).Save(t.Context(), test.dir(t))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "athome: chapter "+chapterID.String()+": ") {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if errors.As(err, new(*athome.PageError)) {
				t.Errorf("a node is blamed: %v", err)
			}
			if got := w.tally().queries; got != test.requests {
				t.Errorf("%d requests to nodes, want %d", got, test.requests)
			}
		})
	}
}
