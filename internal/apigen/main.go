// Command apigen turns openapi.yaml and api/overlay into the generated half of package api.
//
// It runs from the root of the module, by go generate. What it writes is what [Generate] returns: all
// files, or none if anything fails. The flags are
//
//	-strict   fail, and write nothing, if an action of the overlay does not fit the document
//	-check    print how the overlay fits, write nothing
//	-report   print, as Markdown, what breaks who uses the library, what the document became in Go, how
//	          the overlay fits, and what is left for a person
//
// An action does not fit if the document says by now what it corrects (obsolete), if what it corrects is
// gone or has moved (unmatched), or if that has changed in another way (conflict). Without -strict it is
// reported and left out, so that a new document can be tried at once.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	var o options
	flag.BoolVar(&o.strict, "strict", false, "fail, and write nothing, if an action of the overlay does not fit the document")
	flag.BoolVar(&o.check, "check", false, "print how the overlay fits, write nothing")
	flag.BoolVar(&o.report, "report", false, "print a report as Markdown")
	flag.Parse()
	if err := run(".", o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

type options struct{ strict, check, report bool }

// run generates in the module at root.
func run(root string, o options, stdout, stderr io.Writer) error {
	in, err := readInput(root)
	if err != nil {
		return err
	}
	files, report, err := Generate(in)
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	text := report.String()
	switch {
	case o.report:
		fmt.Fprint(stdout, report.Markdown())
	case o.check:
		fmt.Fprint(stdout, text)
	default:
		fmt.Fprint(stderr, text)
	}
	switch {
	case o.strict && text != "":
		return errors.New("the overlay does not fit the document; nothing was written")
	case o.check:
		return nil
	}
	return files.write(root)
}

// rooms are the files of the overlay, in the order in which they are applied.
var rooms = [...]string{"names", "older", "wire", "answers", "operations", "types", "words-operations", "words-parameters", "words-types"}

// readInput reads what a generation needs from the module at root.
func readInput(root string) (Input, error) {
	in := Input{Source: map[string][]byte{}, Before: Files{}}
	var err error
	if in.Document, err = os.ReadFile(filepath.Join(root, documentPath)); err != nil {
		return in, err
	}
	if in.Config, err = os.ReadFile(filepath.Join(root, configPath)); err != nil {
		return in, err
	}
	for _, room := range rooms {
		name := overlayPath + "/" + room + ".yaml"
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return in, err
		}
		in.Overlays = append(in.Overlays, Overlay{Name: name, Content: content})
	}
	for _, path := range []string{overlaidPath, typesPath, callsPath, relatedPath, operationsPath} {
		content, err := os.ReadFile(filepath.Join(root, path))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return in, err
		}
		in.Before[path] = content
	}
	paths, err := filepath.Glob(filepath.Join(root, "api", "*.go"))
	if err != nil {
		return in, err
	}
	for _, path := range paths {
		if isGenerated(path) || isTest(path) {
			continue
		}
		if in.Source[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			return in, err
		}
	}
	return in, nil
}
