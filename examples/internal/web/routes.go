package web

import "net/http"

// Routes sends requests to handlers that may fail, and tells Fail what went wrong.
type Routes struct {
	http.ServeMux
	Fail func(http.ResponseWriter, *http.Request, error)
}

// To has the requests of a pattern handled.
func (r *Routes) To(pattern string, handle func(http.ResponseWriter, *http.Request) error) {
	r.HandleFunc(pattern, func(w http.ResponseWriter, request *http.Request) {
		if err := handle(w, request); err != nil {
			r.Fail(w, request, err)
		}
	})
}
