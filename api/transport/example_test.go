package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/transport"
)

// A tracer names a span after the operation, as a transport of a tracing library does. With
// otelhttp it is its option WithSpanNameFormatter.
type tracer struct{ next http.RoundTripper }

func (t tracer) RoundTrip(req *http.Request) (*http.Response, error) {
	name := req.Method
	if op, ok := api.OperationFrom(req.Context()); ok {
		name = op.ID
	}
	fmt.Println("span", name)
	return t.next.RoundTrip(req)
}

// offline answers instead of a network.
var offline = tripper(func(req *http.Request) (*http.Response, error) {
	return answer(req, http.StatusOK, `{"result":"ok","response":"collection","data":[]}`), nil
})

// A transport for tracing goes below this one, and sees every attempt.
func Example_tracing() {
	client, err := api.New(api.Production, api.WithTransport(transport.WithBase(tracer{offline})))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.ListTags(context.Background())
	fmt.Println(err)
	// Output:
	// span ListTags
	// <nil>
}

// The transport can be used without package api.
func Example_alone() {
	polite, err := transport.New(
		transport.WithUserAgent("shelf/1.2 (+https://shelf.example)"),
		transport.WithBase(offline), // leave this out to use the network
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: polite}
	resp, err := client.Get("https://api.mangadex.org/manga/tag")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, polite.Stats().Requests)
	// Output: 200 1
}

// All clients behind one address share its allowance.
func ExampleWithLimiter() {
	limiter, err := transport.NewLimiter()
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		client, err := api.New(api.Production, api.WithTransport(transport.WithLimiter(limiter), transport.WithBase(offline)))
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = client.ListTags(context.Background())
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// <nil>
}

// With WithMaxWait(0) a call fails where it would have to wait.
func ExampleRateLimitError() {
	limiter, err := transport.NewLimiter(transport.WithRate(0.1, 1)) // far less than MangaDex allows
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := api.New(api.Production, api.WithTransport(
		transport.WithLimiter(limiter),
		transport.WithMaxWait(0),
		transport.WithBase(offline),
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		_, err = client.ListTags(context.Background())
		var limited *transport.RateLimitError
		if errors.As(err, &limited) {
			fmt.Printf("%s in about %v\n", limited.Operation, time.Until(limited.RetryAt).Round(time.Second))
		}
	}
	// Output: ListTags in about 10s
}
