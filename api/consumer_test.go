package api_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestConsumer builds a module that uses this one as any other module does, and looks at what it
// gets with it.
func TestConsumer(t *testing.T) {
	t.Parallel()
	c := newConsumer(t)

	const want = "10000000-0000-4000-8000-00000000000a A Garden of Clouds a.png\n3\n" +
		"404 Nothing here for mangadex-go/devel (+https://github.com/mangadex-go/mangadex) consumer/1.0\n"
	if got := c.run(t, c.program("consumer")); got != want {
		t.Errorf("the program prints %q, want %q", got, want)
	}

	one, login := c.linked(t, "one"), c.linked(t, "login")
	t.Logf("api links %v", one)
	if len(one) == 0 || len(one) > 5 {
		t.Errorf("api links %d modules: %v", len(one), one)
	}
	more := slices.DeleteFunc(slices.Clone(login), func(m string) bool { return slices.Contains(one, m) })
	t.Logf("authn links %v, too", more)
	if len(more) > 3 {
		t.Errorf("authn links %d more modules: %v", len(more), more)
	}

	added := c.size(t, "one") - c.size(t, "bare")
	t.Logf("api adds %.2f MB", float64(added)/1e6)
	if added > 1_600_000 {
		t.Errorf("api adds %d bytes to a program that makes one call", added)
	}

	t.Run("modules", func(t *testing.T) { c.modules(t) })
	t.Run("initialisation", func(t *testing.T) { c.initialisation(t) })
	t.Run("version", func(t *testing.T) { c.version(t) })
}

// consumer is the module of somebody else, with its programs built.
type consumer struct{ dir, exe string }

func newConsumer(t *testing.T) *consumer {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds programs; leave out -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to build with")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	c := &consumer{dir: t.TempDir()}
	if err := os.CopyFS(c.dir, os.DirFS("testdata/consumer")); err != nil {
		t.Fatal(err)
	}
	mod := bytes.ReplaceAll(readFile(t, "testdata/consumer/go.mod"), []byte("../../.."), []byte(strconv.Quote(filepath.ToSlash(root))))
	// What go get adds. With it the go command looks at nothing that the tests of this package have
	// not made it look at before, so that nothing is fetched.
	requirements := c.runIn(t, root, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}require {{.Path}} {{.Version}} // indirect\n{{end}}{{end}}", "./api", "./authn")
	lines := slices.Sorted(strings.Lines(requirements))
	mod = append(mod, "\n"+strings.Join(slices.Compact(lines), "")...)
	writeFile(t, filepath.Join(c.dir, "go.mod"), mod)
	writeFile(t, filepath.Join(c.dir, "go.sum"), readFile(t, "../go.sum"))
	c.run(t, "go", "build", "-mod=mod", "-buildvcs=false", "-o", c.dir+string(filepath.Separator)+"bin"+string(filepath.Separator), "./...")
	c.exe = strings.TrimSpace(c.run(t, "go", "env", "GOEXE"))
	return c
}

func (c *consumer) program(name string) string { return filepath.Join(c.dir, "bin", name+c.exe) }

// command runs in the module of the consumer, and in no workspace.
func (c *consumer) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd
}

func (c *consumer) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return c.runIn(t, c.dir, name, args...)
}

func (c *consumer) runIn(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := c.command(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// linked are the modules in a program, without this one.
func (c *consumer) linked(t *testing.T, program string) []string {
	t.Helper()
	var modules []string
	for line := range strings.Lines(c.run(t, "go", "version", "-m", c.program(program))) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "dep" && fields[1] != "github.com/mangadex-go/mangadex" {
			modules = append(modules, fields[1])
		}
	}
	return modules
}

func (c *consumer) size(t *testing.T, program string) int64 {
	t.Helper()
	info, err := os.Stat(c.program(program))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// unreachable is what the go command says where it cannot get a module.
var unreachable = regexp.MustCompile(`dial tcp|proxyconnect|i/o timeout|GOPROXY=off|GOPROXY list is not the empty string`)

// modules counts what the go command of a consumer has to look at. It needs the go.mod of modules
// that nothing here is built from, so this is the one test that asks the module proxy, once.
func (c *consumer) modules(t *testing.T) {
	cmd := c.command(t.Context(), "go", "list", "-mod=mod", "-m", "all")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && unreachable.MatchString(stderr.String()) {
		t.Skipf("there is no module proxy to ask; run it once with a network:\n%s", stderr.String())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	all := strings.Fields(strings.ReplaceAll(string(out), " => ", "=>"))
	count := strings.Count(string(out), "\n")
	t.Logf("a program that imports api and authn sees %d modules", count)
	if count > 45 {
		t.Errorf("a program that imports api and authn sees %d modules, more than 45: %v", count, all)
	}
}

var initLine = regexp.MustCompile(`(?m)^init github\.com/mangadex-go/mangadex/(\S+) @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs`)

// initialisation looks at what happens in a program before main: a handful of errors and tables.
// Time is printed only, since a loaded machine has any.
func (c *consumer) initialisation(t *testing.T) {
	cmd := c.command(t.Context(), c.program("login"))
	// The strictest of the modes: what is not approved panics.
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1,fips140=only")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("needs a login")) {
		t.Fatalf("the program does not get to its call: %v\n%s", err, out)
	}
	lines := initLine.FindAllSubmatch(out, -1)
	if len(lines) == 0 {
		t.Fatalf("no package of this module has been initialised\n%s", out)
	}
	var allocations int
	var clock float64
	for _, line := range lines {
		t.Logf("%s: %s ms, %s bytes, %s allocations", line[1], line[2], line[3], line[4])
		n, err := strconv.Atoi(string(line[4]))
		if err != nil {
			t.Fatal(err)
		}
		ms, err := strconv.ParseFloat(string(line[2]), 64)
		if err != nil {
			t.Fatal(err)
		}
		allocations, clock = allocations+n, clock+ms
	}
	t.Logf("in all: %.0f µs", clock*1000)
	if allocations > 16 {
		t.Errorf("the packages make %d allocations before main, more than 16; do in a function what these do", allocations)
	}
}

// version makes this module a dependency with a version, of which the consumer has a copy, as it has
// after go mod vendor.
func (c *consumer) version(t *testing.T) {
	c.run(t, "go", "mod", "vendor")
	release := func(name, from, to string) {
		path := filepath.Join(c.dir, filepath.FromSlash(name))
		text := regexp.MustCompile(from).ReplaceAll(readFile(t, path), []byte(to))
		writeFile(t, path, text)
	}
	release("go.mod", `(?m)^replace .*$`, "")
	release("go.mod", `(mangadex-go/mangadex) v0.0.0`, "$1 v1.2.3")
	release("vendor/modules.txt", `(?m)^(# github.com/mangadex-go/mangadex) .*$`, "$1 v1.2.3")
	// The line of the replacement is the last of the file.
	release("vendor/modules.txt", `(?m)\n# github.com/mangadex-go/mangadex v1.2.3\n$`, "\n")
	if got, want := c.run(t, "go", "run", "-mod=vendor", "./agent"), "mangadex-go/1.2.3 (+https"; !strings.Contains(got, want) {
		t.Errorf("the program prints %q, want %q in it", got, want)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
