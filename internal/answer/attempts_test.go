package answer_test

import (
	"context"
	"testing"

	"github.com/mangadex-go/mangadex/internal/answer"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	lost := answer.Of(504, answer.HTML)
	busy := answer.Of(429, answer.JSON)
	refused := answer.Of(404, answer.JSON)
	for name, test := range map[string]struct {
		before []answer.Verdict // of the attempts before the last
		sent   bool
		last   answer.Verdict
		want   answer.Effect
		doubt  bool
	}{
		"never sent":             {nil, false, answer.OfError(context.Canceled), answer.NotDone, false},
		"sent and cancelled":     {nil, true, answer.OfError(context.Canceled), answer.MayBeDone, false},
		"refused":                {nil, true, refused, answer.NotDone, false},
		"busy, then refused":     {[]answer.Verdict{busy}, true, refused, answer.NotDone, false},
		"lost, then refused":     {[]answer.Verdict{busy, lost}, true, refused, answer.MayBeDone, true},
		"lost, then done":        {[]answer.Verdict{lost}, true, answer.Of(200, answer.JSON), answer.Done, true},
		"lost, then no network":  {[]answer.Verdict{lost}, true, answer.OfError(answer.ErrNotSent), answer.MayBeDone, true},
		"an answer that is none": {nil, true, lost, answer.MayBeDone, false},
	} {
		ctx, attempts := answer.WithAttempts(t.Context())
		if answer.AttemptsOf(ctx) != attempts {
			t.Fatal("the context does not have it")
		}
		if test.sent {
			attempts.Begin()
		}
		for _, v := range test.before {
			attempts.Repeat(v)
			attempts.Begin()
		}
		if got := attempts.Effect(test.last); got != test.want || attempts.InDoubt() != test.doubt {
			t.Errorf("%s: %v, in doubt: %t; want %v, %t", name, got, attempts.InDoubt(), test.want, test.doubt)
		}
	}
	nobody := answer.AttemptsOf(t.Context())
	nobody.Begin()
	nobody.Repeat(lost)
	if nobody.InDoubt() || nobody.Effect(refused) != answer.NotDone {
		t.Error("nobody wants to know")
	}
}
