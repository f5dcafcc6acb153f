// Command specimport turns the OpenAPI document that MangaDex publishes into this
// module's openapi.yaml.
//
// It keeps the facts of the document (paths, operations, parameters, types,
// enums, security), drops every sentence and every example, writes the rest in
// a fixed order, and prints what changed against the openapi.yaml that was
// there. The same document gives the same bytes, whether it comes as YAML or as
// JSON, and openapi.yaml itself imports as itself. Nothing is corrected here:
// corrections belong in api/overlay.
//
// Usage:
//
//	specimport [-o openapi.yaml] [-check] [-force] FILE
//
// FILE is a path or an http(s) URL. The flags are
//
//	-o FILE   write FILE instead of the openapi.yaml of the module around the
//	          working directory
//	-check    print the changes, write nothing
//	-force    write even if more than a quarter of the operations would vanish
//
// The exit status is
//
//	0   nothing changed
//	1   an error; the old file is as it was
//	3   something changed, and with -check would have
//
// "go run" does not pass an exit status on: it prints "exit status 3" and ends
// with 1 itself. A script that wants to tell a change from an error builds the
// program first:
//
//	go build -o /tmp/specimport ./internal/specimport
//	/tmp/specimport https://api.mangadex.org/docs/static/api.yaml
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mangadex-go/mangadex/internal/atomicfile"

	"github.com/mangadex-go/mangadex/internal/document"
)

// The exit statuses; see the package comment.
const (
	exitSame    = 0
	exitError   = 1
	exitChanged = 3
)

const usage = `usage: specimport [-o openapi.yaml] [-check] [-force] FILE

Imports the facts of the OpenAPI document FILE (a path or an http(s) URL, YAML
or JSON) into openapi.yaml and prints what changed.

  -o FILE   write FILE instead of the openapi.yaml of the module around the
            working directory
  -check    print the changes, write nothing
  -force    write even if more than a quarter of the operations would vanish

Exit status: 0 nothing changed, 1 error (the old file is as it was), 3 changed.
"go run" prints "exit status 3" and ends with 1 itself; scripts build first:

  go build -o /tmp/specimport ./internal/specimport && /tmp/specimport FILE
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program: it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("specimport", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are told below, in the same style as all others
	target := flags.String("o", "", "")
	check := flags.Bool("check", false, "")
	force := flags.Bool("force", false, "")

	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitSame
	case err != nil:
		err = fmt.Errorf("%w; specimport -h lists the flags", err)
	case flags.NArg() == 0:
		err = errors.New("no document was named: give the path or the URL of MangaDex's OpenAPI document; specimport -h tells more")
	case flags.NArg() > 1:
		err = fmt.Errorf("one document is imported at a time, and %d arguments were given: flags go before the document", flags.NArg())
	}
	changed := false
	if err == nil {
		changed, err = update(stdout, flags.Arg(0), *target, *check, *force)
	}
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "specimport: %v\n", err)
		return exitError
	case changed:
		return exitChanged
	}
	return exitSame
}

// update imports the document called source into the file target, prints what
// changed, and says whether anything did.
func update(stdout io.Writer, source, target string, check, force bool) (changed bool, err error) {
	if target == "" {
		root, err := moduleRoot()
		if err != nil {
			return false, err
		}
		target = filepath.Join(root, "openapi.yaml")
	}
	data, err := document.Fetch(source)
	if err != nil {
		return false, err
	}
	imported, content, err := document.Read(data)
	if err != nil {
		return false, fmt.Errorf("%s %w", document.Name(source), err)
	}

	base := filepath.Base(target)
	before, err := os.ReadFile(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(stdout, "%s: new file, version %s, %s\n", base, imported.Version(), document.Count(len(document.Operations(imported))))
	case err != nil:
		return false, fmt.Errorf("the file to replace cannot be read: %w", err)
	case bytes.Equal(before, content):
		fmt.Fprintf(stdout, "%s: nothing changed, version %s, %s\n", base, imported.Version(), document.Count(len(document.Operations(imported))))
		return false, nil
	default:
		old, _, err := document.Read(before)
		if err != nil {
			return false, fmt.Errorf("%s, the file to replace, %w; restore it, or delete it to import afresh", target, err)
		}
		changes := document.Compare(old, imported)
		if total := len(document.Operations(old)); changes.LostOperations*4 > total && !force {
			return false, fmt.Errorf("%s has lost %d of the %d operations that %s has, more than a quarter: look whether it is the right document and whole, and if so import it with -force",
				document.Name(source), changes.LostOperations, total, base)
		}
		changes.Print(stdout, base, old, imported)
	}
	if check {
		return true, nil
	}
	return true, replace(target, content)
}

// moduleRoot returns the directory of the go.mod that governs the working
// directory.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above: run inside the module, or name the file to write with -o", start)
		}
	}
}

// replace writes the file in one step: whoever reads it sees the old content or
// the new one, and a failure leaves the old one.
func replace(target string, content []byte) error {
	file, err := atomicfile.Create(target, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		file.Discard()
		return err
	}
	return file.Keep()
}
