package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// programs are figures of whole programs.
type programs struct {
	init time.Duration // of the packages that only the program with api and authn has
	size int64         // bytes over the bare program
}

const bareProgram = `package main

import (
	"fmt"
	"io"
	"net/http"
)

func main() {
	resp, err := http.Get("https://api.mangadex.org/ping")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
}
`

const ourProgram = `package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

func main() {
	session, err := authn.New(authn.Anonymous())
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := api.New(api.Production, authn.Use(session))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	found, err := client.SearchManga(ctx, &api.SearchMangaParams{Title: api.Ptr("title")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, manga := range found.Data {
		fmt.Println(manga.Attributes.Title)
		for chapter, err := range client.GetMangaFeedAll(ctx, manga.ID, nil) {
			fmt.Println(chapter.ID, err)
		}
	}
	server, err := client.GetAtHomeServer(ctx, uuid.New(), nil)
	fmt.Println(server, err)
}
`

var initLine = regexp.MustCompile(`init (\S+) @[\d.]+ ms, ([\d.]+) ms clock`)

// measurePrograms builds a program with the library and one without, in the module that the
// command runs in.
func measurePrograms() (programs, error) {
	dir, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		return programs{}, err
	}
	defer os.RemoveAll(dir)
	bare, err := buildProgram(dir, "bare", bareProgram)
	if err != nil {
		return programs{}, err
	}
	ours, err := buildProgram(dir, "ours", ourProgram)
	if err != nil {
		return programs{}, err
	}
	size, err := sizeDifference(ours, bare)
	if err != nil {
		return programs{}, err
	}
	shared := inits(bare)
	var total time.Duration
	for name, took := range inits(ours) {
		if _, ok := shared[name]; !ok {
			total += took
		}
	}
	return programs{total, size}, nil
}

func buildProgram(dir, name, source string) (string, error) {
	path := filepath.Join(dir, name)
	if err := os.Mkdir(path, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(path, "main.go"), []byte(source), 0o644); err != nil {
		return "", err
	}
	binary := filepath.Join(path, "program")
	if text, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./"+path).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return filepath.Abs(binary)
}

func sizeDifference(a, b string) (int64, error) {
	first, err := os.Stat(a)
	if err != nil {
		return 0, err
	}
	second, err := os.Stat(b)
	if err != nil {
		return 0, err
	}
	return first.Size() - second.Size(), nil
}

// inits is how long the initialisation of each package of a program takes, as the runtime says.
// The program has no network to use, and fails after it.
func inits(binary string) map[string]time.Duration {
	cmd := exec.Command(binary)
	cmd.Env = []string{"GODEBUG=inittrace=1", "HTTPS_PROXY=http://127.0.0.1:1"}
	text, _ := cmd.CombinedOutput()
	found := map[string]time.Duration{}
	for line := range strings.Lines(string(text)) {
		if m := initLine.FindStringSubmatch(line); m != nil {
			if ms, err := strconv.ParseFloat(m[2], 64); err == nil {
				found[m[1]] = time.Duration(ms * float64(time.Millisecond))
			}
		}
	}
	return found
}
