package answer_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/mangadex-go/mangadex/internal/answer"
	"github.com/mangadex-go/mangadex/internal/operation"
)

// hold holds an answer of n bytes to an operation, reads it and lets go of it.
func hold(tb testing.TB, op string, content []byte, length int64) {
	req, err := http.NewRequestWithContext(operation.NewContext(tb.Context(), &operation.Operation{ID: op}), http.MethodGet, "http://127.0.0.1", nil)
	if err != nil {
		tb.Fatal(err)
	}
	resp := &http.Response{StatusCode: http.StatusOK, ContentLength: length, Request: req, Body: io.NopCloser(bytes.NewReader(content))}
	if answer.Hold(resp, 1<<30) {
		tb.Fatal("it is cut")
	}
	body, err := answer.Read(resp, 1<<30)
	if err != nil || !bytes.Equal(body.Bytes(), content) {
		tb.Fatalf("%d bytes: %v", len(body.Bytes()), err)
	}
	body.Close()
}

// TestBuffersStay reads answers of two operations on goroutines that change their core, with and without
// a length and over collections of garbage: after the first ones, nothing as long as an answer is
// allocated. It runs alone, since it measures.
func TestBuffersStay(t *testing.T) {
	long, short := make([]byte, 500<<10), make([]byte, 5<<10)
	for i, length := range []int64{int64(len(long)), -1} {
		var before, after runtime.MemStats
		for round := range 60 {
			if round == 10 {
				runtime.ReadMemStats(&before)
			}
			runtime.GC()
			done := make(chan struct{})
			go func() {
				defer close(done)
				hold(t, "long", long[round:], max(length-int64(round), -1))
				hold(t, "short", short, -1)
			}()
			<-done
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / 50; got > 50<<10 {
			t.Errorf("%d: an answer of %d bytes allocates %d", i, len(long), got)
		}
	}
}

// TestBuffersAreBounded holds very many and very long answers at once: what stays of them is bounded.
func TestBuffersAreBounded(t *testing.T) {
	live := func() uint64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := live()
	var held []*answer.Body
	for i := range 64 {
		size := 1 << 20
		if i%8 == 0 {
			size = 8 << 20
		}
		resp := &http.Response{StatusCode: http.StatusOK, ContentLength: int64(size), Body: io.NopCloser(io.LimitReader(zeros{}, int64(size)))}
		body, err := answer.Read(resp, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, body)
	}
	for _, body := range held {
		body.Close()
	}
	clear(held)
	if after := live(); after > before+(5<<20) {
		t.Errorf("%d MB stay", (after-before)>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// BenchmarkHold holds an answer as long as a list of 100 titles, with and without a length.
func BenchmarkHold(b *testing.B) {
	content := make([]byte, 500<<10)
	for name, length := range map[string]int64{"with a length": int64(len(content)), "without": -1} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				hold(b, "list", content, length)
			}
		})
	}
}
