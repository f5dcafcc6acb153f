package main

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var documents = flag.String("documents", "", "a folder with documents of MangaDex, which TestImported imports besides those that it makes; \"made\" is none")

// TestImported imports documents with the commands that a maintainer uses, in a copy of the module: all of
// it builds, and the tests of package api and those above it pass. Operations that a document lacks are
// left out by name.
func TestImported(t *testing.T) {
	if *documents == "" {
		t.Skip("-documents FOLDER imports what is there; each takes some minutes")
	}
	newer := regexp.MustCompile(`^/(client|forums|user/history|user/follows/list|list/\{\w+\}/follow|statistics/(chapter|group)|manga/\{\w+\}/recommendation|upload/check-approval-required)\b`)
	const loosened = "less that is asked for" // which the tests of the fake ask for
	made := map[string]func(doc part){
		"without deprecated operations": func(doc part) {
			dropOperations(doc, func(_ string, operation part) bool { return operation["deprecated"] == true })
		},
		"without what is newer than 5.5": func(doc part) {
			dropOperations(doc, func(path string, _ part) bool { return newer.MatchString(path) })
		},
		"other names of operations and parameters": func(doc part) {
			renameOperations(doc, nil)
			renamePathParameters(doc, nil)
		},
		"more of everything": func(doc part) {
			r := rand.New(rand.NewPCG(5, 6))
			for _, m := range additions {
				m.apply(doc, r)
			}
			withParts(t, doc, `paths: {'/manga/{id}/similar': {get: {parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}, {name: limit, in: query, schema: {type: integer, maximum: 50}}, {name: offset, in: query, schema: {type: integer}}], responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/MangaList'}}}}}}}}`)
		},
		loosened: func(doc part) {
			for _, m := range allowances {
				m.apply(doc, rand.New(rand.NewPCG(7, 8)))
			}
		},
	}
	for name, change := range made {
		t.Run(name, func(t *testing.T) {
			doc := presentDocument(t)
			change(doc)
			path := filepath.Join(t.TempDir(), "document.json")
			if err := os.WriteFile(path, encoded(t, doc), 0o600); err != nil {
				t.Fatal(err)
			}
			importHere(t, path, name != loosened)
		})
	}
	files, err := filepath.Glob(filepath.Join(*documents, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			// What came before 5.10.2 lacks too much for the tests to pass.
			importHere(t, path, !strings.Contains(file, "5.5.") && !strings.Contains(file, "5.10.0"))
		})
	}
}

// dropOperations takes operations out of a document, and paths that have none any more.
func dropOperations(doc part, gone func(path string, operation part) bool) {
	eachOperation(doc, func(path string, item, operation part) {
		for _, method := range methods {
			if method := strings.ToLower(method); object(item, method) != nil && gone(path, object(item, method)) {
				delete(item, method)
			}
		}
		if len(operationsIn(item)) == 0 {
			delete(object(doc, "paths"), path)
		}
	})
}

func operationsIn(item part) []part {
	var found []part
	for _, method := range methods {
		if operation := object(item, strings.ToLower(method)); operation != nil {
			found = append(found, operation)
		}
	}
	return found
}

// importHere imports a document in a copy of the module, where all that is written by hand compiles.
func importHere(t *testing.T, path string, tested bool) {
	dir := t.TempDir()
	copyModule(t, dir)
	command(t, dir, 0, "go", "build", "-o", ".bin/", "./internal/specimport", "./internal/apigen")
	command(t, dir, 3, "./.bin/specimport", path)
	command(t, dir, 0, "./.bin/apigen", "-report")
	command(t, dir, 0, "go", "build", "./...")
	command(t, dir, 0, "go", "vet", "./...")
	if tested {
		t.Log(command(t, dir, 0, "go", "test", "./api/...", "./authn/...", "./examples/...", "./internal/bench/...", "./internal/operation"))
	}
}

// command runs a command, which may also end with the status that is given.
func command(t *testing.T, dir string, status int, words ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false -trimpath") // so that copies share what is built
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == status {
		err = nil
	}
	if err != nil {
		var told [][]byte
		for line := range bytes.Lines(out) {
			if !bytes.HasPrefix(line, []byte("ok ")) && !bytes.HasPrefix(line, []byte("?")) {
				told = append(told, line)
			}
		}
		t.Fatalf("%v: %v\n%s", words, err, bytes.Join(told, nil))
	}
	return string(out)
}

// copyModule copies the files of the module.
func copyModule(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(root, path)
		switch err := errors.Join(err, relErr); {
		case err != nil:
			return err
		case entry.Name() == ".git" && entry.IsDir():
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), content, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}
