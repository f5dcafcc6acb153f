package reading

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A Place is where a chapter can be read.
type Place string

// The places.
const (
	Here      Place = "here"      // on MangaDex
	Elsewhere Place = "elsewhere" // on the site of its publisher, see ExternalURL
	Nowhere   Place = "nowhere"   // taken down, or without pages
)

// PlaceOf tells where a chapter can be read.
func PlaceOf(c *api.Chapter) Place {
	a := &c.Attributes
	switch {
	case a.IsUnavailable:
		return Nowhere
	case a.Pages > 0:
		return Here
	case a.ExternalURL != nil && *a.ExternalURL != "":
		return Elsewhere
	}
	return Nowhere
}

// A Reason is why one version of a chapter is chosen before another.
type Reason string

// The reasons, in the order in which they count. A reason outweighs all reasons below it.
const (
	ReasonPlace     Reason = "place"     // it can only be read elsewhere, or not at all
	ReasonAvoided   Reason = "avoided"   // it is by a group of Avoid
	ReasonPreferred Reason = "preferred" // the other is by a group that comes earlier in Prefer
	ReasonKept      Reason = "kept"      // the other is one of Keep
	ReasonMost      Reason = "most"      // the group of the other has more chapters in this language; without groups, its uploader
	ReasonOlder     Reason = "older"     // the other appeared later
	ReasonSame      Reason = "same"      // nothing but the id tells them apart
)

type preference struct {
	groups, avoid []string // folded names, or ids
	kept          map[uuid.UUID]bool
}

// Prefer chooses versions by these groups, given by name or id, the best one first. It excludes
// nothing: where they have no version, another one is chosen.
func Prefer(groups ...string) Option {
	return func(s *settings) { s.preference.groups = append(s.preference.groups, groupKeys(groups)...) }
}

// Avoid chooses versions by these groups, given by name or id, only where there is no other.
func Avoid(groups ...string) Option {
	return func(s *settings) { s.preference.avoid = append(s.preference.avoid, groupKeys(groups)...) }
}

// Keep chooses these chapters, such as those that are in a folder already, unless a preference for
// groups says otherwise or they can no longer be read.
func Keep(chapters ...uuid.UUID) Option {
	return func(s *settings) {
		if s.preference.kept == nil {
			s.preference.kept = map[uuid.UUID]bool{}
		}
		for _, id := range chapters {
			s.preference.kept[id] = true
		}
	}
}

// IsBy reports whether a chapter is by a group, by its name or id. Case, spaces and signs of a name do not
// matter. The name is known if the request asked for [api.IncludeScanlationGroup].
func IsBy(c *api.Chapter, group string) bool { return rankIn(groupKeys([]string{group}), c) == 0 }

func groupKeys(groups []string) []string {
	all := make([]string, len(groups))
	for i, group := range groups {
		all[i] = groupKey(group)
	}
	return all
}

// groupKey is a name or an id of a group as they are compared.
func groupKey(group string) string {
	if id, ok := parseID(strings.TrimSpace(group)); ok {
		return id.String()
	}
	name := line(group, maxTitle)
	return cmp.Or(fold(name), name)
}

// rankIn is the place of the first group of a chapter in a list, and len(groups) if it has none.
func rankIn(groups []string, c *api.Chapter) int {
	best := len(groups)
	if best == 0 {
		return 0
	}
	for _, by := range c.Relationships.Groups() {
		keys := []string{by.ID.String()}
		if by.Attributes != nil {
			keys = append(keys, groupKey(by.Attributes.Name))
		}
		for i := range groups[:best] {
			if groups[i] != "" && slices.Contains(keys, groups[i]) {
				best = i
				break
			}
		}
	}
	return best
}

// A standing is what decides between versions, each member better the smaller it is.
type standing struct {
	place, avoided, preferred, kept, fewer int
	chapter                                *api.Chapter
}

// reasons are the criteria in the order in which they count.
var reasons = []struct {
	reason  Reason
	compare func(a, b *standing) int
}{
	{ReasonPlace, func(a, b *standing) int { return cmp.Compare(a.place, b.place) }},
	{ReasonAvoided, func(a, b *standing) int { return cmp.Compare(a.avoided, b.avoided) }},
	{ReasonPreferred, func(a, b *standing) int { return cmp.Compare(a.preferred, b.preferred) }},
	{ReasonKept, func(a, b *standing) int { return cmp.Compare(a.kept, b.kept) }},
	{ReasonMost, func(a, b *standing) int { return cmp.Compare(a.fewer, b.fewer) }},
	{ReasonOlder, func(a, b *standing) int {
		return b.chapter.Attributes.ReadableAt.Compare(a.chapter.Attributes.ReadableAt)
	}},
	{ReasonSame, func(a, b *standing) int { return slices.Compare(a.chapter.ID[:], b.chapter.ID[:]) }},
}

// decide tells which version goes first, and why.
func decide(a, b *standing) (int, Reason) {
	for _, r := range reasons {
		if c := r.compare(a, b); c != 0 {
			return c, r.reason
		}
	}
	return 0, ReasonSame
}

// arrange puts the versions of every entry into the order of preference.
func (p *preference) arrange(entries []Entry) {
	type key struct {
		language string
		by       uuid.UUID
	}
	count := map[key]int{}
	for i := range entries {
		had := map[uuid.UUID]bool{}
		for j := range entries[i].Versions {
			for _, by := range makers(&entries[i].Versions[j].Chapter) {
				if !had[by] {
					had[by] = true
					count[key{entries[i].Language, by}]++
				}
			}
		}
	}
	for i := range entries {
		e := &entries[i]
		standings := make([]standing, len(e.Versions))
		for j := range e.Versions {
			c := &e.Versions[j].Chapter
			s := standing{chapter: c, preferred: rankIn(p.groups, c)}
			s.place = slices.Index([]Place{Here, Elsewhere, Nowhere}, PlaceOf(c))
			if len(p.avoid) > 0 && rankIn(p.avoid, c) < len(p.avoid) {
				s.avoided = 1
			}
			if !p.kept[c.ID] {
				s.kept = 1
			}
			for _, by := range makers(c) {
				s.fewer = min(s.fewer, -count[key{e.Language, by}])
			}
			standings[j] = s
		}
		slices.SortFunc(standings, func(a, b standing) int {
			c, _ := decide(&a, &b)
			return c
		})
		arranged := make([]Version, len(standings))
		for j := range standings {
			arranged[j].Chapter = *standings[j].chapter
			if j > 0 {
				_, arranged[j].Behind = decide(&standings[0], &standings[j])
			}
		}
		e.Versions = arranged
	}
}

// shareGroup reports whether two chapters have a group in common.
func shareGroup(a, b *api.Chapter) bool {
	theirs := b.Relationships.Groups()
	return slices.ContainsFunc(a.Relationships.Groups(), func(group api.Ref[api.GroupAttributes]) bool {
		return slices.ContainsFunc(theirs, func(other api.Ref[api.GroupAttributes]) bool { return other.ID == group.ID })
	})
}
