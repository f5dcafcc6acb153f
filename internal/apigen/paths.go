package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mangadex-go/mangadex/internal/document"
)

// safePaths gives parameters of paths the names that they had before, and others another name where two
// would be one name in Go, or one would be a word of the generated code. Their names are not on the wire.
// before has the paths that were there by their shapes.
func safePaths(doc map[string]any, before map[string]string) {
	paths, _ := doc["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[path].(map[string]any)
		was := before[document.Shape(path)]
		if other := before[otherEnd(document.Shape(path))]; was == "" && other != "" {
			was = otherEnd(other)
		}
		delete(paths, path)
		if was != "" {
			names := document.PathNames(path)
			for i, name := range names { // in two steps, as two may have changed their names with each other
				renamePathParameter(item, name, fmt.Sprint("{}", i))
			}
			for i, name := range document.PathNames(was) {
				renamePathParameter(item, fmt.Sprint("{}", i), name)
			}
			path = was
		}
		paths[safePath(path, item)] = item
	}
}

// otherEnd is a path with a slash at its end where it has none, and without one where it has. One that comes
// or goes makes another path, of the same operations.
func otherEnd(path string) string {
	if path, slash := strings.CutSuffix(path, "/"); slash {
		return path
	}
	return path + "/"
}

// pathsOf are the paths of a generated table of operations, by their shapes.
func pathsOf(table []byte) map[string]string {
	paths := map[string]string{}
	for _, row := range tableRow.FindAllSubmatch(table, -1) {
		path := string(row[3])
		paths[document.Shape(path)] = path
	}
	return paths
}

var hole = regexp.MustCompile(`\{[^{}]*\}`)

// reservedArguments are words of the generated code, which an argument that is named after a parameter of
// a path cannot be.
var reservedArguments = []string{
	"append", "at", "body", "bodyReader", "bool", "buf", "bytes", "c", "client", "context", "contentType", "ctx", "editors", "err", "error", "false", "first", "float64",
	"fmt", "http", "int", "int64", "io", "iter", "json", "len", "new", "nil", "nullable", "op", "operation", "operationPath", "options", "order", "p", "page", "panic",
	"params", "queryFrag", "queryParamBuf", "queryURL", "queryValues", "r", "rawQueryFragments", "req", "reqEditors", "rsp", "runtime", "server", "serverURL", "string",
	"strings", "styled", "time", "true", "url",
}

func safePath(path string, item map[string]any) string {
	used := map[string]bool{}
	return hole.ReplaceAllStringFunc(path, func(found string) string {
		name := found[1 : len(found)-1]
		own := name
		safe := func() bool {
			argument := goName(own)
			return argument != "" && !used[argument] && !slices.Contains(reservedArguments, strings.ToLower(argument[:1])+argument[1:]) && !slices.Contains(reservedArguments, strings.ToLower(argument))
		}
		if goName(own) == "" {
			own = "place"
		}
		for !safe() {
			own += "Value"
		}
		used[goName(own)] = true
		if own != name {
			renamePathParameter(item, name, own)
		}
		return "{" + own + "}"
	})
}

// renamePathParameter renames a parameter of a path where it is described.
func renamePathParameter(value any, name, own string) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			renamePathParameter(v, name, own)
		}
	case map[string]any:
		if value["in"] == "path" && value["name"] == name {
			value["name"] = own
			return
		}
		for _, v := range value {
			renamePathParameter(v, name, own)
		}
	}
}
