package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConsumer builds a module that uses this one as any other module does, and looks at what it
// gets with it.
func TestConsumer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds programs")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/consumer")); err != nil {
		t.Fatal(err)
	}
	edit := func(name, from string, change func(string) string) {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(change(string(content))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit("go.mod", "testdata/consumer/go.mod", func(s string) string { return strings.ReplaceAll(s, "../../..", filepath.ToSlash(root)) })
	edit("go.sum", "../go.sum", func(s string) string { return s })
	command := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}

	bin := filepath.Join(dir, "bin")
	command("go", "build", "-o", bin+string(filepath.Separator), "./...")
	const want = "10000000-0000-4000-8000-00000000000a A Garden of Clouds a.png\n3\n404 Nothing here\n"
	if got := command(filepath.Join(bin, "consumer")); got != want {
		t.Errorf("the program prints %q, want %q", got, want)
	}

	// linked are the modules in a program, without this one.
	linked := func(program string) []string {
		var modules []string
		for line := range strings.Lines(command("go", "version", "-m", filepath.Join(bin, program))) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "dep" && fields[1] != "github.com/mangadex-go/mangadex" {
				modules = append(modules, fields[1])
			}
		}
		return modules
	}
	one, login := linked("one"), linked("login")
	t.Logf("api links %v", one)
	if len(one) == 0 || len(one) > 5 {
		t.Errorf("api links %d modules: %v", len(one), one)
	}
	more := slices.DeleteFunc(slices.Clone(login), func(m string) bool { return slices.Contains(one, m) })
	t.Logf("authn links %v, too", more)
	if len(more) > 3 {
		t.Errorf("authn links %d more modules: %v", len(more), more)
	}

	size := func(program string) int64 {
		info, err := os.Stat(filepath.Join(bin, program))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	added := size("one") - size("bare")
	t.Logf("api adds %.2f MB", float64(added)/1e6)
	if added > 2_500_000 {
		t.Errorf("api adds %d bytes to a program that makes one call", added)
	}
}
