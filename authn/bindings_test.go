package authn_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"testing"

	"github.com/mangadex-go/mangadex/api/transport"
	"github.com/mangadex-go/mangadex/authn"
	"github.com/mangadex-go/mangadex/authn/internal/mybindings"
)

// Bindings that oapi-codegen makes by itself from MangaDex's document stay logged in, too. This client
// keeps to the limits of MangaDex by package transport.
func ExampleTransport() {
	local, server, stop := exampleServer()
	defer stop()
	session, err := authn.New(local, authn.WithPersonalClient(clientID, clientSecret), authn.WithPassword(username, password))
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	polite, err := transport.New(transport.WithAPIServer(server))
	if err != nil {
		log.Fatal(err)
	}
	client, err := mybindings.NewClientWithResponses(server, mybindings.WithHTTPClient(&http.Client{Transport: authn.Transport(session, polite)}))
	if err != nil {
		log.Fatal(err)
	}
	me, err := client.GetUserMeWithResponse(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.Status())
	// Output: 200 OK
}

// An editor of requests is enough where a call that fails once may fail.
func ExampleSession_Edit() {
	local, server, stop := exampleServer()
	defer stop()
	session, err := authn.New(local, authn.WithPersonalClient(clientID, clientSecret), authn.WithPassword(username, password))
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	client, err := mybindings.NewClientWithResponses(server, mybindings.WithRequestEditorFn(session.Edit))
	if err != nil {
		log.Fatal(err)
	}
	me, err := client.GetUserMeWithResponse(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.Status())
	// Output: 200 OK
}

// Bindings of somebody else recover from a 401, by themselves with Transport; Edit notices before it
// comes to that, because the call is the one before.
func TestBindingsOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		option func(w *world, s *authn.Session) mybindings.ClientOption
	}{
		"Transport": {func(w *world, s *authn.Session) mybindings.ClientOption {
			return mybindings.WithHTTPClient(&http.Client{Transport: authn.Transport(s, w.client.Transport)})
		}},
		"Edit": {func(_ *world, s *authn.Session) mybindings.ClientOption {
			return mybindings.WithRequestEditorFn(s.Edit)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			w := f.serve(t)
			s := w.loggedIn(t, w.personal(), w.withPassword())
			c, err := mybindings.NewClientWithResponses(w.api, test.option(w, s))
			if err != nil {
				t.Fatal(err)
			}
			for n := range 6 {
				if n == 2 {
					w.revokeAccess()
				}
				me, err := c.GetUserMeWithResponse(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if me.StatusCode() != http.StatusOK {
					t.Errorf("call %d: %s", n, me.Status())
				}
			}
		})
	}
}
