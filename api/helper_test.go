package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// newClient returns a client whose requests go to d.
func newClient(t testing.TB, d api.DoerFunc) *api.Client {
	t.Helper()
	client, err := api.New("https://api.example.test", api.WithHTTPClient(d), api.WithoutRateLimit(), api.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// A line is the way to a server: it takes its time, and counts the requests that are on it at once.
type line struct {
	latency time.Duration

	mu   sync.Mutex
	busy int
	peak int // of busy
}

func (l *line) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy += n
	l.peak = max(l.peak, l.busy)
}

// pass takes as long as the line is. The caller calls done when the answer is there.
func (l *line) pass(ctx context.Context) (done func(), err error) {
	l.add(1)
	select {
	case <-time.After(l.latency):
	case <-ctx.Done():
	}
	return func() { l.add(-1) }, ctx.Err()
}

// answer makes an answer; headers are given as name and value.
func answer(status int, contentType, body string, headers ...string) *http.Response {
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// answeringDoer gives the same success to every request.
func answeringDoer(body string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := answer(200, "application/json", body)
		resp.Request = req
		return resp, nil
	}
}

// answering returns a client that gets the same answer to every request.
func answering(t testing.TB, status int, contentType, body string, headers ...string) *api.Client {
	t.Helper()
	return newClient(t, func(req *http.Request) (*http.Response, error) {
		resp := answer(status, contentType, body, headers...)
		resp.Request = req
		return resp, nil
	})
}

// A row is a line of testdata/operations.tsv.
type row struct {
	method, path, upstream, name, auth, limit, bucket string
}

// rows reads the table that the operations are compared with.
var rows = sync.OnceValues(func() ([]row, error) {
	data, err := os.ReadFile("testdata/operations.tsv")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	table := make([]row, 0, len(lines))
	for _, line := range lines[1:] {
		c := strings.Split(line, "\t")
		if len(c) != 7 {
			return nil, fmt.Errorf("%q has %d columns instead of 7", line, len(c))
		}
		table = append(table, row{c[0], c[1], c[2], c[3], c[4], c[5], c[6]})
	}
	return table, nil
})

func table(t testing.TB) []row {
	t.Helper()
	table, err := rows()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	editorsType = reflect.TypeFor[[]api.RequestEditorFn]()
)

// invoke calls a method by its name, with arguments that a filler makes for those that are not
// given. It returns what the method returned without the error; nil where that is all.
func invoke(t testing.TB, client any, name string, fill *filler) (any, error) {
	t.Helper()
	method := reflect.ValueOf(client).MethodByName(name)
	if !method.IsValid() {
		t.Fatalf("%T has no method %s", client, name)
	}
	args := []reflect.Value{}
	for i := range method.Type().NumIn() {
		if method.Type().IsVariadic() && i == method.Type().NumIn()-1 {
			break
		}
		args = append(args, fill.value(method.Type().In(i), name))
	}
	results := method.Call(args)
	err, _ := results[len(results)-1].Interface().(error)
	if len(results) == 1 {
		return nil, err
	}
	return results[0].Interface(), err
}

// A filler makes values with every field set. Two fillers make the same values in the same order.
type filler struct {
	t     testing.TB
	ctx   context.Context // that is given to a call, if it is not the one without an end
	n     int
	depth int
	at    string // the field of a struct that is filled in
	// zero leaves out what can be left out: nil for pointers, slices and maps.
	zero bool
}

// text needs escaping in paths, queries, JSON and headers.
const text = "a b&c=d/é№+%\"#"

func (f *filler) value(typ reflect.Type, name string) reflect.Value {
	f.n++
	v := reflect.New(typ).Elem()
	switch x := v.Addr().Interface().(type) {
	case *context.Context:
		*x = cmp.Or(f.ctx, context.Background())
		return v
	case *uuid.UUID:
		*x = uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012d", f.n))
		return v
	case *time.Time:
		*x = time.Date(2021, 2, 3, 4, 5, 6, 0, time.FixedZone("", 2*60*60)).Add(time.Duration(f.n) * time.Hour)
		return v
	case *api.DateTime:
		x.Time = time.Date(2021, 2, 3, 4, 5, 6, 0, time.FixedZone("", 2*60*60)).Add(time.Duration(f.n) * time.Hour)
		return v
	case *json.RawMessage:
		*x = json.RawMessage(fmt.Sprintf(`{"n":%d,"list":[true,null,"<é>"]}`, f.n))
		return v
	case *api.LocalizedString:
		if !f.zero {
			*x = api.LocalizedString{{Language: "pt-br", Text: text}, {Language: "ja-ro", Text: "b" + strconv.Itoa(f.n)}}
		}
		return v
	case *api.Links:
		if !f.zero {
			*x = api.Links{{Site: "mu", Value: strconv.Itoa(f.n)}, {Site: "raw", Value: "https://example.test/?a=1&b=2"}}
		}
		return v
	case *map[string]any:
		*x = map[string]any{} // an object that must be empty
		return v
	case *api.Extra:
		return v
	case *api.RelationshipAttributes:
		*x = &api.AuthorAttributes{Name: "x"}
		return v
	case *api.Result:
		*x = api.ResultOk
		return v
	case *api.ResourceType:
		*x = api.ResourceTypeAuthor
		return v
	case *api.RatingDistribution:
		*x = api.RatingDistribution{1: 2, 10: 3}
		return v
	case *io.Reader:
		*x = strings.NewReader("content " + strconv.Itoa(f.n))
		return v
	}
	if isOrder(typ) {
		return f.order(typ, v)
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(f.text(typ, name))
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(int64(f.n))
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(f.n) + 0.5)
	case reflect.Bool:
		v.SetBool(!f.zero)
	case reflect.Pointer:
		if !f.zero || f.depth == 0 {
			f.depth++
			v.Set(reflect.New(typ.Elem()))
			v.Elem().Set(f.value(typ.Elem(), name))
			f.depth--
		}
	case reflect.Slice:
		if !f.zero {
			v.Set(reflect.Append(v, f.value(typ.Elem(), name), f.value(typ.Elem(), name)))
		}
	case reflect.Map:
		if !f.zero {
			v.Set(reflect.MakeMap(typ))
			if isNullable(typ) {
				v.SetMapIndex(reflect.ValueOf(true), f.value(typ.Elem(), name))
			} else {
				v.SetMapIndex(f.value(typ.Key(), name), f.value(typ.Elem(), name))
			}
		}
	case reflect.Struct:
		f.depth++
		for i := range typ.NumField() {
			if typ.Field(i).IsExported() {
				f.at = typ.Name() + "." + typ.Field(i).Name
				v.Field(i).Set(f.value(typ.Field(i).Type, typ.Field(i).Name))
			}
		}
		f.depth--
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n))
	case reflect.Interface:
		v.Set(reflect.ValueOf(f.text(reflect.TypeFor[string](), name)))
	default:
		f.t.Fatalf("the filler does not know %v", typ)
	}
	return v
}

func (f *filler) text(typ reflect.Type, name string) string {
	if typ.Name() == "string" {
		return text + strconv.Itoa(f.n)
	}
	values, err := constants()
	if err != nil {
		f.t.Fatal(err)
	}
	own := values[f.at] // of the field alone
	if own == nil {
		own = values[typ.Name()]
	}
	if len(own) == 0 {
		f.t.Fatalf("%v has no constants", typ)
	}
	return own[f.n%len(own)]
}

// takesFiles reports whether an operation has a body that is not JSON.
func takesFiles(id string) bool {
	method, _ := reflect.TypeFor[*api.Client]().MethodByName(id)
	for i := range method.Type.NumIn() {
		switch method.Type.In(i) {
		case reflect.TypeFor[api.Pages](), reflect.TypeFor[api.CoverUpload](), reflect.TypeFor[io.Reader]():
			return true
		}
	}
	return false
}

// isOrder reports whether a type is an order of a list.
func isOrder(typ reflect.Type) bool {
	return typ.Kind() == reflect.Slice && strings.HasSuffix(typ.Name(), "Order")
}

// order sorts by every key that there is.
func (f *filler) order(typ reflect.Type, v reflect.Value) reflect.Value {
	if f.zero && f.depth > 0 {
		return v
	}
	f.n++
	for i := range typ.NumMethod() {
		f.n++
		direction := reflect.ValueOf(api.SortDirection(f.text(reflect.TypeFor[api.SortDirection](), "")))
		v = v.Method(i).Call([]reflect.Value{direction})[0]
	}
	return v
}

// isNullable reports whether a type is an api.Nullable.
func isNullable(typ reflect.Type) bool {
	return typ.Kind() == reflect.Map && strings.HasPrefix(typ.Name(), "Nullable[")
}

// constants are the values of the named text types, which reflection cannot list, and those that the
// words of a field give it.
var constants = sync.OnceValues(func() (map[string][]string, error) {
	values := map[string][]string{}
	for _, path := range []string{"types.gen.go", "values.go", "order.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.CONST {
				fieldValues(decl, values)
				continue
			}
			for _, spec := range d.Specs {
				s := spec.(*ast.ValueSpec)
				typ, ok := s.Type.(*ast.Ident)
				if !ok || len(s.Values) != 1 {
					continue
				}
				if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					value, err := strconv.Unquote(lit.Value)
					if err != nil {
						return nil, err
					}
					values[typ.Name] = append(values[typ.Name], value)
				}
			}
		}
	}
	return values, nil
})

// fieldValues collects the values that the words of the fields of a struct give these.
func fieldValues(decl ast.Decl, values map[string][]string) {
	ast.Inspect(decl, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range st.Fields.List {
				words := strings.Join(strings.Fields(field.Doc.Text()), " ")
				if _, list, ok := strings.Cut(words, "Values: "); ok && len(field.Names) == 1 {
					values[spec.Name.Name+"."+field.Names[0].Name] = strings.Split(strings.TrimSuffix(list, "."), ", ")
				}
			}
		}
		return false
	})
}
