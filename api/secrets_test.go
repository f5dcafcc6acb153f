package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	operations "github.com/mangadex-go/mangadex/internal/operation"
)

// Values that hold a secret are sent as JSON and printed by nothing else.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = "hush-hush"
	var values []any
	add := func(typ reflect.Type, body string) {
		v := reflect.New(typ)
		if err := json.Unmarshal([]byte(strings.ReplaceAll(body, "S", secret)), v.Interface()); err != nil {
			t.Fatalf("%v: %v", typ, err)
		}
		values = append(values, v.Interface(), v.Elem().Interface())
	}
	for _, op := range operations.Table {
		method, _ := reflect.TypeFor[*api.Client]().MethodByName(op.ID)
		if op.SecretAnswer {
			body := `{"result":"ok","token":{"session":"S","refresh":"S"}}`
			if _, ok := method.Type.Out(0).Elem().FieldByName("Data"); ok {
				body = `{"result":"ok","data":"S"}`
			}
			add(method.Type.Out(0).Elem(), body)
		}
		for i := range method.Type.NumIn() {
			if in := method.Type.In(i); in.Kind() == reflect.Struct && in.Implements(reflect.TypeFor[fmt.Formatter]()) {
				add(in, `{"password":"S","token":"S"}`)
			}
		}
	}
	for _, v := range values {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%s %q %d", v, v, v), log.String()} {
			if strings.Contains(text, secret) {
				t.Errorf("%T is printed as %s", v, text)
			}
		}
		if data, err := json.Marshal(v); err != nil || !strings.Contains(string(data), secret) {
			t.Errorf("%T is sent as %s, %v", v, data, err)
		}
	}
}
