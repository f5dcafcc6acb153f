package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

var stock = flag.Bool("stock", false, "compare all requests with those of the client that stock oapi-codegen writes")

// different are the operations whose requests may differ from those of a stock client, and why. That
// Accept is sent differs for all, and is not compared; what must be sent and is not set is empty in ours
// where it is null in those of stock; the sequence of sort keys does not come up, because all are set in the
// order of the alphabet.
var different = map[string]string{
	"UploadCover": "a form, which stock takes as bytes of the caller's",
	"UploadPages": "a form, which stock takes as bytes of the caller's",
}

// TestStock has stock oapi-codegen write a client from the same document with its corrections, and compares
// method, target, header and body of every operation with the requests of the typed calls: with everything
// set, which TestWire of package api has in its golden files, and with nothing set.
func TestStock(t *testing.T) {
	if !*stock {
		t.Skip("-stock runs it")
	}
	content, err := os.ReadFile(filepath.Join(root, overlaidPath))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	plain(doc)
	if content, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	parsed, err := openapi3.NewLoader().LoadFromData(content)
	if err != nil {
		t.Fatal(err)
	}
	config := codegen.Configuration{
		PackageName: "main", Generate: codegen.GenerateOptions{Models: true, Client: true},
		OutputOptions: codegen.OutputOptions{SkipPrune: true, ResponseTypeSuffix: "HTTPAnswer", NameNormalizer: string(codegen.NameNormalizerFunctionToCamelCaseWithInitialisms)},
		Compatibility: codegen.CompatibilityOptions{AlwaysPrefixEnumValues: true},
	}.UpdateDefaults()
	generating.Lock()
	client, err := codegen.Generate(parsed, config)
	generating.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join("testdata", "stock", "main.go.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("package main\n\nvar operations = []operation{\n")
	compared := 0
	for path, item := range parsed.Paths.Map() {
		for _, spec := range item.Operations() {
			id := spec.OperationID
			if different[id] != "" {
				continue
			}
			golden, err := os.ReadFile(filepath.Join(root, "api", "testdata", "wire", id+".txt"))
			if err != nil {
				t.Error(err)
				continue
			}
			builder := "New" + id + "Request"
			if !regexp.MustCompile(`(?m)^func ` + builder + `\(`).MatchString(client) {
				t.Errorf("stock has no %s", builder)
				continue
			}
			compared++
			fmt.Fprintf(&table, "\t{%q, %q, %q, %s},\n", id, path, golden, builder)
		}
	}
	table.WriteString("}\n")
	out := goRun(t, Files{
		"internal/apigen/stock/client.go": []byte(client), "internal/apigen/stock/main.go": program, "internal/apigen/stock/table.go": []byte(table.String()),
	}, "./internal/apigen/stock")
	if want := fmt.Sprintf("compared %d\n", compared); out != want || compared < 100 {
		t.Errorf("%s", out)
	}
}

// plain takes out of a document what is there for our own generation.
func plain(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if strings.HasPrefix(name, "x-") {
				delete(value, name)
				continue
			}
			plain(member)
		}
	case []any:
		for _, v := range value {
			plain(v)
		}
	}
}
