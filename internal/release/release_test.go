package release_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

const root = "../.."

// published are the modules that are tagged, in the order of their tags: what one requires comes before it.
var published = []string{".", "api/fleet"}

// A program with each of the modules builds with what a proxy serves, where nothing is replaced.
func TestConsumers(t *testing.T) {
	version := versionOf(t)
	proxy := t.TempDir()
	for _, dir := range published {
		publish(t, proxy, dir, version)
	}
	for _, dir := range published {
		mod := readMod(t, dir)
		t.Run(mod.Module.Mod.Path, func(t *testing.T) {
			consumer := t.TempDir()
			var program strings.Builder
			program.WriteString("package main\n\nimport (\n")
			for _, name := range packages(t, dir) {
				fmt.Fprintf(&program, "\t_ %q\n", name)
			}
			program.WriteString(")\n\nfunc main() {}\n")
			write(t, filepath.Join(consumer, "main.go"), program.String())
			in := func(args ...string) string { return command(t, consumer, proxy, args...) }
			in("mod", "init", "stranger.example/program")
			in("get", mod.Module.Mod.Path+"@"+version)
			in("mod", "tidy")
			in("build", "-o", os.DevNull, ".")
			in("vet", ".")
			if list := in("list", "-m", "-f", "{{if .Replace}}{{.Path}}{{end}}", "all"); strings.TrimSpace(list) != "" {
				t.Errorf("replaced: %s", list)
			}
		})
	}
}

// What the modules require of one another is what is released with them.
func TestRequirements(t *testing.T) {
	version := versionOf(t)
	ours := map[string]bool{}
	for _, dir := range published {
		ours[readMod(t, dir).Module.Mod.Path] = true
	}
	for _, dir := range published {
		mod := readMod(t, dir)
		for _, require := range mod.Require {
			if ours[require.Mod.Path] && require.Mod.Version != version {
				t.Errorf("%s requires %s; write %s there", filepath.Join(dir, "go.mod"), require.Mod, version)
			}
		}
		for _, replace := range mod.Replace {
			if !ours[replace.Old.Path] {
				t.Errorf("%s replaces %s, which holds in this repository only", filepath.Join(dir, "go.mod"), replace.Old)
			}
		}
	}
}

// versionOf reads the newest version of CHANGELOG.md.
func versionOf(t *testing.T) string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^## (v\d+\.\d+\.\d+)`).FindSubmatch(read(t, filepath.Join(root, "CHANGELOG.md")))
	if match == nil {
		t.Fatal("CHANGELOG.md names no version")
	}
	return string(match[1])
}

func readMod(t *testing.T, dir string) *modfile.File {
	t.Helper()
	path := filepath.Join(root, dir, "go.mod")
	mod, err := modfile.Parse(path, read(t, path), nil)
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// publish puts a module where GOPROXY=file://… looks for it.
func publish(t *testing.T, proxy, dir, version string) {
	t.Helper()
	path := readMod(t, dir).Module.Mod.Path
	folder := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, version+".info"), string(info))
	write(t, filepath.Join(folder, version+".mod"), string(read(t, filepath.Join(root, dir, "go.mod"))))
	write(t, filepath.Join(folder, "list"), version+"\n")
	var packed bytes.Buffer
	if err := modzip.CreateFromDir(&packed, module.Version{Path: path, Version: version}, filepath.Join(root, dir)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, version+".zip"), packed.String())
	t.Logf("%s: %d kB", path, packed.Len()>>10)
}

// packages are those of a module that others can import.
func packages(t *testing.T, dir string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{if ne .Name "main"}}{{.ImportPath}}{{end}}`, "./...")
	cmd.Dir = filepath.Join(root, dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.Contains(name+"/", "/internal/") && !strings.Contains(name, "/examples/") {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no package to import", dir)
	}
	return found
}

// command runs go as a stranger has it: our modules come from the folder, all others from the usual proxy.
func command(t *testing.T, dir, proxy string, args ...string) string {
	t.Helper()
	usual, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GOWORK=off", "GOFLAGS=-mod=mod -modcacherw", "GOMODCACHE="+filepath.Join(proxy, "cache"),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+","+strings.TrimSpace(string(usual)),
		"GONOSUMDB=github.com/mangadex-go/*")
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, failed.Bytes())
	}
	return string(out)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
