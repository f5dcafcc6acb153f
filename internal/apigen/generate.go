package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"sync"
)

// Where the inputs and the outputs are, from the root of the module.
const (
	documentPath   = "openapi.yaml"
	overlayPath    = "api/overlay"
	configPath     = "api/oapi-codegen.yaml"
	overlaidPath   = "api/apitest/openapi.gen.json"
	typesPath      = "api/types.gen.go"
	requestsPath   = "api/requests.gen.go"
	callsPath      = "api/calls.gen.go"
	relatedPath    = "api/related.gen.go"
	formsPath      = "api/forms.gen.go"
	operationsPath = "internal/operation/table.gen.go"
)

// An Input is all that a generation depends on.
type Input struct {
	Document []byte            // openapi.yaml
	Overlays []Overlay         // applied in this order
	Config   []byte            // of oapi-codegen
	Source   map[string][]byte // the files of package api that are written by hand, by name
	Before   Files             // the generated files that are there: their names and methods stay, and the report tells the difference
}

// generating guards what oapi-codegen keeps in variables of its package, from which the names come, too.
var generating sync.Mutex

// Generate makes the generated half of the module from a document and its overlays. It reads and
// writes no file, and works in these steps:
//
//  1. The overlay is applied to the document; the result is what the fake server of api/apitest
//     checks requests and answers against.
//  2. A copy is lowered to what oapi-codegen needs to hear (lower.go): which nulls are a zero
//     value and which a pointer, names for inline bodies, a field for members nobody knows.
//  3. oapi-codegen writes the types and a client from the lowered document. Of the client only what
//     builds its requests is kept (requests.go), in fewer words (fold.go).
//  4. The types are read back, and the operations table, the typed calls and the page iterators are
//     written from them and the document. Types to which nothing leads from these are dropped
//     (prune.go), and the others get their decoders and encoders.
func Generate(in Input) (files Files, report *Report, err error) {
	generating.Lock()
	defer generating.Unlock()
	defer func() {
		if fault := recover(); fault != nil {
			files, report, err = nil, nil, fmt.Errorf("internal/apigen cannot do this document, which is a fault of its own: %v\n%s", fault, debug.Stack())
		}
	}()
	config, err := readConfig(in.Config)
	if err != nil {
		return nil, nil, err
	}
	if err := primeNames(); err != nil {
		return nil, nil, err
	}
	taken, err := readReserved(in.Source)
	if err != nil {
		return nil, nil, err
	}
	if in.Before[typesPath] != nil {
		if taken.before, err = readTypes(in.Before[typesPath]); err != nil {
			return nil, nil, err
		}
	}
	if in.Before[callsPath] != nil {
		if taken.calls, err = readCalls(in.Before[callsPath]); err != nil {
			return nil, nil, err
		}
	}
	doc, report, err := load(in, taken.calls, config.OutputOptions.ExcludeSchemas)
	if err != nil {
		return nil, nil, err
	}
	overlaid, err := marshalOpen(doc)
	if err != nil {
		return nil, nil, err
	}
	files = Files{overlaidPath: overlaid}
	ops, err := operations(doc)
	if err != nil {
		return nil, nil, err
	}
	taken.rename(ops)
	taken.orderParameters(ops)
	taken.renameParameters(ops)
	lowered, err := lower(doc, ops, taken, config.OutputOptions.ExcludeSchemas)
	if err != nil {
		return nil, nil, err
	}
	if files[typesPath], files[requestsPath], err = oapiCodegen(doc, config); err != nil {
		return nil, nil, err
	}
	written, err := readTypes(files[typesPath])
	if err != nil {
		return nil, nil, err
	}
	if files[typesPath], files[requestsPath], err = surface(files[typesPath], files[requestsPath], lowered.directions); err != nil {
		return nil, nil, err
	}
	types, err := readTypes(files[typesPath])
	if err != nil {
		return nil, nil, err
	}
	types.aliases = written.aliases // answers may still have their names
	if files[requestsPath], err = fold(files[requestsPath], types, taken, ops); err != nil {
		return nil, nil, err
	}
	requests, err := builders(files[requestsPath])
	if err != nil {
		return nil, nil, err
	}
	m := &model{ops: ops, types: types, taken: taken, doc: doc, builders: requests, more: lowered.more}
	if err := m.resolve(); err != nil {
		return nil, nil, err
	}
	for path, writeSource := range map[string]func(*printer){
		operationsPath: m.writeOperations,
		callsPath:      m.writeCalls,
		relatedPath:    m.writeRelated,
	} {
		if files[path], err = writeFile(path, writeSource); err != nil {
			return nil, nil, err
		}
	}
	if files[typesPath], err = pruned(files[typesPath], files.users(in.Source)); err != nil {
		return nil, nil, err
	}
	if types, err = readTypes(files[typesPath]); err != nil {
		return nil, nil, err
	}
	types.aliases, m.types = written.aliases, types
	for path, writeSource := range map[string]func(*printer){
		"api/codecs.gen.go":  m.writeCodecs,
		"api/bodies.gen.go":  m.writeBodies,
		formsPath:            m.writeForms,
		"api/secrets.gen.go": m.writeSecrets,
	} {
		if files[path], err = writeFile(path, writeSource); err != nil {
			return nil, nil, err
		}
	}
	if before := in.Before[overlaidPath]; before != nil {
		if report.Breaking, err = breaking(before, overlaid); err != nil {
			return nil, nil, err
		}
	}
	if taken.before != nil {
		if report.Became, err = became(in.Before, taken, files, types); err != nil {
			return nil, nil, err
		}
	}
	report.Left = append(m.left(), lowered.left...)
	return files, report, nil
}

// writeFile makes a file of what is written of it.
func writeFile(path string, write func(*printer)) ([]byte, error) {
	var p printer
	p.line("// Code generated by internal/apigen. DO NOT EDIT.\n\npackage %s\n", filepath.Base(filepath.Dir(path)))
	write(&p)
	code, err := imported(p.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return code, nil
}

// printer collects source text.
type printer struct{ bytes.Buffer }

func (p *printer) line(format string, args ...any) {
	if len(args) == 0 {
		p.WriteString(format)
	} else {
		fmt.Fprintf(p, format, args...)
	}
	p.WriteByte('\n')
}
