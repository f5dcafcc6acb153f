package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// TestOperations compares the operations with a copy of the documented table.
func TestOperations(t *testing.T) {
	t.Parallel()
	documented := documentedOperations(t)
	ops := map[string]api.Operation{}
	for _, op := range api.Operations() {
		key := shape(op.Method, op.Path)
		if other, twice := ops[key]; twice {
			t.Errorf("%s is both %s and %s", key, other.ID, op.ID)
		}
		ops[key] = op
		if op.Deprecated != documented[key].deprecated {
			t.Errorf("%s: deprecated is %v", op.ID, op.Deprecated)
		}
	}
	for key := range documented {
		if _, has := ops[key]; !has {
			t.Errorf("there is no operation %s", key)
		}
	}
	buckets := map[string]string{} // letter of the table → our name
	for _, want := range table(t) {
		key := shape(want.method, want.path)
		op, ok := ops[key]
		if !ok {
			if _, has := documented[key]; !has {
				t.Logf("the document has no %s (%s)", key, want.name)
			}
			continue
		}
		delete(ops, key)
		if op.ID != want.name {
			t.Errorf("%s is called %s, want %s", key, op.ID, want.name)
		}
		if op.Auth.String() != want.auth {
			t.Errorf("%s: authentication is %v, want %s", op.ID, op.Auth, want.auth)
		}
		limit := ""
		if op.Limit != (api.Limit{}) {
			limit = fmt.Sprintf("%d/%dm", op.Limit.Requests, op.Limit.Per/time.Minute)
		}
		if limit != want.limit {
			t.Errorf("%s: the limit is %q, want %q", op.ID, limit, want.limit)
		}
		// What shares an allowance has one bucket, everything else a bucket of its own.
		bucket := want.bucket
		if bucket == "" && want.limit != "" {
			bucket = op.ID
		}
		if known, ok := buckets[bucket]; bucket != "" && ok && known != op.Limit.Bucket {
			t.Errorf("%s: the bucket is %q, others of it have %q", op.ID, op.Limit.Bucket, known)
		}
		for other, name := range buckets {
			if bucket != other && name == op.Limit.Bucket {
				t.Errorf("%s: the bucket %q is that of %s, too", op.ID, name, other)
			}
		}
		if bucket != "" {
			buckets[bucket] = op.Limit.Bucket
		}
	}
	if *update {
		appendRows(t, ops)
		return
	}
	for key, op := range ops {
		t.Logf("%s is not in the table: %s; write its row with -update and compare it with the documentation", op.ID, key)
	}
}

// appendRows gives new operations a row in the table.
func appendRows(t *testing.T, ops map[string]api.Operation) {
	t.Helper()
	file, err := os.OpenFile("testdata/operations.tsv", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, key := range slices.Sorted(maps.Keys(ops)) {
		op, limit, bucket := ops[key], "", ""
		if op.Limit != (api.Limit{}) {
			limit = fmt.Sprintf("%d/%dm", op.Limit.Requests, op.Limit.Per/time.Minute)
		}
		if op.Limit.Bucket != op.ID {
			bucket = op.Limit.Bucket
		}
		if _, err := fmt.Fprintln(file, strings.Join([]string{op.Method, op.Path, "", op.ID, op.Auth.String(), limit, bucket}, "\t")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMethods checks that every operation has a typed method, and that all of them are alike.
func TestMethods(t *testing.T) {
	t.Parallel()
	client := reflect.TypeFor[*api.Client]()
	inParams := func(op api.Operation) int { return strings.Count(op.Path, "{") }
	for _, op := range api.Operations() {
		method, ok := client.MethodByName(op.ID)
		if !ok {
			t.Errorf("*api.Client has no method %s", op.ID)
			continue
		}
		f := method.Type
		in := []reflect.Type{}
		for i := 1; i < f.NumIn(); i++ {
			in = append(in, f.In(i))
		}
		if in[0] != contextType {
			t.Errorf("%s: the first parameter is %v, not a context", op.ID, in[0])
		}
		if !f.IsVariadic() || in[len(in)-1] != editorsType {
			t.Errorf("%s: the last parameter is %v, not ...RequestEditorFn", op.ID, in[len(in)-1])
		}
		rest := in[1 : len(in)-1]
		if len(rest) < inParams(op) {
			t.Errorf("%s: %d parameters for the %d of the path", op.ID, len(rest), inParams(op))
			continue
		}
		for _, typ := range rest[:inParams(op)] {
			if typ != reflect.TypeFor[uuid.UUID]() && typ.Kind() != reflect.String && typ.Kind() != reflect.Int {
				t.Errorf("%s: %v stands where the path needs a value", op.ID, typ)
			}
		}
		rest = rest[inParams(op):]
		if len(rest) > 0 && rest[0].Kind() == reflect.Pointer {
			if rest[0].Elem().Name() != op.ID+"Params" {
				t.Errorf("%s: the parameters are %v", op.ID, rest[0])
			}
			rest = rest[1:]
		}
		for _, typ := range rest {
			stream := len(rest) == 2 && rest[0].Kind() == reflect.String && rest[1] == reflect.TypeFor[io.Reader]()
			if typ.Kind() == reflect.Pointer || len(rest) > 1 && !stream {
				t.Errorf("%s: the body is %v", op.ID, rest)
			}
		}
		switch {
		case f.NumOut() == 1 && f.Out(0) == errorType:
		case f.NumOut() == 2 && f.Out(1) == errorType && (f.Out(0).Kind() == reflect.Pointer || f.Out(0) == reflect.TypeFor[json.RawMessage]()):
		default:
			t.Errorf("%s does not return a pointer and an error, or an error: %v", op.ID, f)
		}
		checkAll(t, client, op, method)
	}
}

// checkAll checks the iterator of an operation that pages, and that no other has one.
func checkAll(t *testing.T, client reflect.Type, op api.Operation, method reflect.Method) {
	t.Helper()
	all, has := client.MethodByName(op.ID + "All")
	paged := false
	var element reflect.Type
	if f := method.Type; f.NumOut() == 2 && f.Out(0).Kind() == reflect.Pointer {
		_, total := f.Out(0).Elem().FieldByName("Total")
		data, isList := f.Out(0).Elem().FieldByName("Data")
		asked := false
		for i := range f.NumIn() {
			if p := f.In(i); p.Kind() == reflect.Pointer && p.Elem().Name() == op.ID+"Params" {
				_, limit := p.Elem().FieldByName("Limit")
				_, offset := p.Elem().FieldByName("Offset")
				asked = limit && offset
			}
		}
		if paged = total && isList && asked; paged {
			element = data.Type.Elem()
		}
	}
	if paged != has {
		t.Errorf("%s: pages %v, iterator %v", op.ID, paged, has)
	}
	if !paged || !has {
		return
	}
	if all.Type.NumOut() != 1 || all.Type.In(1) != contextType {
		t.Errorf("%sAll is %v", op.ID, all.Type)
		return
	}
	seq := all.Type.Out(0)
	if seq.Kind() != reflect.Func || !seq.CanSeq2() || seq.In(0).In(0) != element || seq.In(0).In(1) != errorType {
		t.Errorf("%sAll returns %v, want an iter.Seq2[%v, error]", op.ID, seq, element)
	}
}

var _ func(*api.Client, context.Context, *api.SearchMangaParams, ...api.WalkOption) iter.Seq2[api.Manga, error] = (*api.Client).SearchMangaAll

// TestOperationOf finds every operation by its request, with and without a base path.
func TestOperationOf(t *testing.T) {
	t.Parallel()
	const id = "00000000-0000-4000-8000-000000000001"
	fill := strings.NewReplacer("{category}", "manga")
	for _, op := range api.Operations() {
		path := fill.Replace(op.Path)
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + id + after
		}
		for _, url := range []string{
			api.Production + path, api.Production + path + "?limit=10", "http://localhost:1" + path,
			"https://proxy.example.test/mangadex" + path, "https://proxy.example.test/a/b" + path,
		} {
			req, err := http.NewRequest(op.Method, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := api.OperationOf(req); !ok || got != op {
				t.Errorf("%s %s: %+v, %v; want %s", op.Method, url, got, ok, op.ID)
			}
		}
	}
	for _, none := range []struct{ method, path string }{
		{"GET", ""}, {"GET", "/"}, {"GET", "//"}, {"GET", "/manga/"}, {"GET", "/manga//feed"}, {"GET", "/mangas"},
		{"PATCH", "/manga"}, {"GET", "/manga/" + id + "/feed/" + id}, {"DELETE", "/manga"}, {"GET", "/MANGA"},
	} {
		req, err := http.NewRequest(none.method, api.Production+none.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := api.OperationOf(req); ok {
			t.Errorf("%s %q is taken for %s", none.method, none.path, got.ID)
		}
	}
	if _, ok := api.OperationOf(&http.Request{}); ok {
		t.Error("a request without a URL has an operation")
	}
}

// TestOperationFrom checks that a request of a client is marked with its operation.
func TestOperationFrom(t *testing.T) {
	t.Parallel()
	for _, want := range api.Operations() {
		client := newClient(t, func(req *http.Request) (*http.Response, error) {
			if op, ok := api.OperationFrom(req.Context()); !ok || op != want {
				t.Errorf("%s: marked as %+v", want.ID, op)
			}
			if op, ok := api.OperationOf(req); !ok || op != want {
				t.Errorf("%s: taken for %+v", want.ID, op)
			}
			bare, err := http.NewRequest(req.Method, req.URL.String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if op, ok := api.OperationOf(bare); !ok || op != want {
				t.Errorf("%s: without its mark taken for %+v", want.ID, op)
			}
			return answer(http.StatusTeapot, "", ""), nil
		})
		if _, err := invoke(t, client, want.ID, &filler{t: t}); err == nil {
			t.Errorf("%s: no error", want.ID)
		}
	}
	if _, ok := api.OperationFrom(t.Context()); ok {
		t.Error("a bare context has an operation")
	}
}

func TestOperationOfAllocates(t *testing.T) {
	for _, url := range []string{
		api.Production + "/manga/00000000-0000-4000-8000-000000000001/feed?limit=100",
		"https://proxy.example.test/mangadex/user/follows/manga/feed",
	} {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { api.OperationOf(req) }); n != 0 {
			t.Errorf("%s: %v allocations", url, n)
		}
	}
}

func BenchmarkOperationOf(b *testing.B) {
	for _, path := range []string{
		"/ping", "/manga/00000000-0000-4000-8000-000000000001/feed", "/user/follows/manga/feed",
		"/proxy/base/manga/00000000-0000-4000-8000-000000000001/relation/00000000-0000-4000-8000-000000000002",
	} {
		b.Run(path, func(b *testing.B) {
			method := "GET"
			if strings.Contains(path, "relation") {
				method = "DELETE"
			}
			req, err := http.NewRequest(method, api.Production+path, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, ok := api.OperationOf(req); !ok {
				b.Fatal("no operation")
			}
			b.ReportAllocs()
			for b.Loop() {
				api.OperationOf(req)
			}
		})
	}
}
