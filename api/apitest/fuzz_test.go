package apitest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/apitest"
)

// Whatever is sent, the server answers, and with what fits the specification.
func FuzzRequest(f *testing.F) {
	srv, err := apitest.NewServer(apitest.WithoutNetwork(), apitest.WithTitles(10), apitest.WithAccount(apitest.Account{Username: "staff", Roles: []string{"ROLE_MEMBER", "ROLE_STAFF"}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(srv.Close)
	access, _, err := srv.Tokens().Issue("staff")
	if err != nil {
		f.Fatal(err)
	}
	m := srv.State().Manga()[0].ID.String()
	f.Add("GET", "/manga?limit=5&title=a&order[relevance]=desc", "", "")
	f.Add("GET", "/manga/"+m+"/feed?includes[]=manga&translatedLanguage[]=en", "", "")
	f.Add("GET", "/manga/"+m+"/aggregate", "", "")
	f.Add("PUT", "/manga/"+m, "application/json", `{"version":1,"title":{"en":"x"},"altTitles":[],"links":null,"year":null,"tags":[]}`)
	f.Add("POST", "/manga", "application/json", `{"title":{"en":"x"},"status":"ongoing","originalLanguage":"ja","contentRating":"safe"}`)
	f.Add("POST", "/list", "application/json", `{"name":"x","manga":["`+m+`"]}`)
	f.Add("POST", "/upload/begin", "application/json", `{"manga":"`+m+`","groups":[]}`)
	f.Add("POST", "/cover/"+m, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nGIF89a\r\n--b--")
	f.Add("POST", "/report", "application/json", `{"category":"manga","reason":"`+m+`","objectId":"`+m+`","details":""}`)
	f.Fuzz(func(t *testing.T, method, target, contentType, body string) {
		u, err := url.Parse(target)
		if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
			t.Skip()
		}
		r, err := http.NewRequest(method, srv.URL+u.RequestURI(), strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", "Bearer "+access)
		resp, text := send(t, &http.Client{Transport: srv.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, r)
		if resp.StatusCode == http.StatusOK {
			if op, ok := api.OperationOf(r); ok && method != http.MethodHead {
				if err := judgeAnswer(op, r, resp, []byte(text)); err != nil {
					t.Errorf("%s answered with what does not fit: %v\n%s", op.ID, err, text)
				}
			}
		}
	})
}
