package api_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// TestPrint prints all that a method takes or returns: there must be values in it, and no addresses.
func TestPrint(t *testing.T) {
	t.Parallel()
	address := regexp.MustCompile(`0x[0-9a-f]{5,}`)
	seen := 0
	client := reflect.TypeFor[*api.Client]()
	for i := range client.NumMethod() {
		method := client.Method(i)
		for _, typ := range append(ins(method.Type), outs(method.Type)...) {
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			if typ.Kind() != reflect.Struct || typ.PkgPath() != client.Elem().PkgPath() || typ == client.Elem() || strings.HasSuffix(typ.Name(), "Upload") {
				continue
			}
			seen++
			v := (&filler{t: t}).value(typ, "")
			for _, format := range []string{"%v", "%+v", "%s"} {
				if text := fmt.Sprintf(format, v.Interface()); address.MatchString(text) || text == "" {
					t.Errorf("%s of %v: %.200s", format, typ, text)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("printed %d values only", seen)
	}
	for got, want := range map[string]string{
		fmt.Sprint(api.ChapterAttributes{Chapter: api.Ptr("12.5"), Title: nil}):                            `"chapter":"12.5"`,
		fmt.Sprint(api.MangaEdit{Year: api.Value(2019), Version: 3}):                                       `{"version":3,"year":2019}`,
		fmt.Sprint(api.SearchMangaParams{Title: api.Ptr("shelf"), Order: api.MangaOrder{}.Title(api.Asc)}): `{"title":"shelf","order":["title asc"]}`,
		(&api.ChapterAttributes{Volume: api.Ptr("3")}).GetVolume():                                         "3",
		(&api.ChapterAttributes{}).GetVolume() + (*api.ChapterAttributes)(nil).GetTitle():                  "",
		fmt.Sprint((&api.MangaAttributes{Year: api.Ptr(2019)}).GetYear()):                                  "2019",
	} {
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func ins(f reflect.Type) (types []reflect.Type) {
	for i := range f.NumIn() {
		types = append(types, f.In(i))
	}
	return types
}

func outs(f reflect.Type) (types []reflect.Type) {
	for i := range f.NumOut() {
		types = append(types, f.Out(i))
	}
	return types
}
