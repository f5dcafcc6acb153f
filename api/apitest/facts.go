package apitest

import (
	"time"

	"github.com/google/uuid"
)

//go:generate go run ../../internal/facts

// What is the same on every server of MangaDex, with ids that other people's programs have built in.

// trialTitle is where programs that upload are to be tried out. Its id is the same on every server.
var trialTitle = uuid.UUID{0xf9, 0xc3, 0x36, 0x07, 0x91, 0x80, 0x4b, 0xa6, 0xb8, 0x5c, 0xe4, 0xb5, 0xfa, 0xee, 0x71, 0x92}

func (st *store) inventTags(now time.Time) {
	for _, t := range &knownTags {
		st.tags.add(&tag{head: head{id: t.id, kind: kindTag, version: 1, created: now, updated: now}, name: localized{"en": t.name}, group: t.group})
	}
}

// otherReasons are those for reports on what is no title, whose real ones are not known here.
var otherReasons = [...]struct {
	text    string
	details bool
}{{"Wrong information", true}, {"Duplicate", true}, {"Spam", false}, {"Something else", true}}

func (st *store) inventReasons(now time.Time) {
	add := func(id uuid.UUID, category, text string, details bool) {
		st.reasons.add(&reportReason{head: head{id: id, kind: "report_reason", version: 1, created: now, updated: now}, category: category, text: text, details: details})
	}
	for _, r := range &knownReasons {
		add(r.id, r.category, r.text, r.details)
	}
	for _, category := range []string{"chapter", "scanlation_group", "user", "author"} {
		for _, r := range &otherReasons {
			add(named(namespace, "reason "+category+" "+r.text), category, r.text, r.details)
		}
	}
}
