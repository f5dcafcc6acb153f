// Command apigen turns openapi.yaml and api/overlay into the generated half of package api.
//
// It runs from the root of the module, by go generate. What it writes is what [Generate] returns: all
// files, or none if anything fails.
//
// With -strict it fails when an action of the overlay matches nothing, which tells a maintainer
// that the upstream document has changed under a correction. Without, such an action is reported
// and ignored, so that a new document can be tried at once.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	strict := flag.Bool("strict", false, "fail when an action of the overlay matches nothing")
	flag.Parse()
	if err := run(".", *strict); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

// run generates in the module at root.
func run(root string, strict bool) error {
	in, err := readInput(root)
	if err != nil {
		return err
	}
	files, report, err := Generate(in)
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	if text := report.String(); text != "" {
		fmt.Fprint(os.Stderr, text)
		if strict {
			return errors.New("the overlay does not fit the document; nothing was written")
		}
	}
	return files.write(root)
}

// rooms are the files of the overlay, in the order in which they are applied.
var rooms = [...]string{"names", "older", "wire", "answers", "operations", "types", "words-operations", "words-parameters", "words-types"}

// readInput reads what a generation needs from the module at root.
func readInput(root string) (Input, error) {
	in := Input{Source: map[string][]byte{}}
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
	if in.Before, err = os.ReadFile(filepath.Join(root, typesPath)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return in, err
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
