package reading

import (
	"slices"

	"github.com/google/uuid"
)

// A shelf is where versions of a chapter stand.
type shelf struct {
	language       string
	volume, number Number
}

// join gives chapters without a volume the only volume that has their number in their language.
func join(all []parsed) {
	type place struct {
		language string
		number   Number
	}
	volumes := map[place][]Number{}
	for i := range all {
		at := place{all[i].Attributes.TranslatedLanguage, all[i].number}
		if v := all[i].volume; !v.IsZero() && len(volumes[at]) < 2 && !slices.Contains(volumes[at], v) {
			volumes[at] = append(volumes[at], v)
		}
	}
	for i := range all {
		c := &all[i]
		if found := volumes[place{c.Attributes.TranslatedLanguage, c.number}]; c.volume.IsZero() && !c.number.IsZero() && len(found) == 1 {
			c.volume = found[0]
		}
	}
}

// group puts versions of the same chapter together, in the order in which the first of them came.
func group(all []parsed) [][]parsed {
	shelves := map[shelf][]parsed{}
	var order []shelf
	for _, c := range all {
		at := shelf{c.Attributes.TranslatedLanguage, c.volume, c.number}
		if shelves[at] == nil {
			order = append(order, at)
		}
		shelves[at] = append(shelves[at], c)
	}
	var groups [][]parsed
	for _, at := range order {
		switch chapters := shelves[at]; {
		case at.number.IsZero():
			groups = append(groups, withoutNumber(chapters)...)
		case isAnthology(chapters):
			groups = append(groups, byTitle(chapters)...)
		default:
			groups = append(groups, chapters)
		}
	}
	return groups
}

// isAnthology reports whether one group has several of these chapters with different titles.
func isAnthology(chapters []parsed) bool {
	titles := map[uuid.UUID]string{}
	for _, c := range chapters {
		for _, by := range c.by {
			if title, ok := titles[by]; ok && title != c.title {
				return true
			}
			titles[by] = c.title
		}
	}
	return false
}

func byTitle(chapters []parsed) [][]parsed {
	at := map[string]int{}
	var groups [][]parsed
	for _, c := range chapters {
		i, ok := at[c.title]
		if !ok {
			i = len(groups)
			at[c.title] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// withoutNumber groups chapters without a number. Those of the same group are never versions.
func withoutNumber(chapters []parsed) [][]parsed {
	count := map[uuid.UUID]int{}
	for _, c := range chapters {
		for _, by := range c.by {
			count[by]++
		}
	}
	isOnly := func(c parsed) bool {
		return len(c.by) > 0 && !slices.ContainsFunc(c.by, func(by uuid.UUID) bool { return count[by] > 1 })
	}
	var groups [][]parsed
	var only []parsed // chapters that are the only ones of their groups
	for _, same := range byTitle(chapters) {
		if !slices.ContainsFunc(same, func(c parsed) bool { return !isOnly(c) }) {
			only = append(only, same...)
			continue
		}
		groups = append(groups, apart(same)...)
	}
	if only != nil {
		groups = append(groups, only)
	}
	return groups
}

// apart splits chapters with the same title so that no group is in a part twice. The first of each
// group come together, then the second ones, and so on.
func apart(chapters []parsed) [][]parsed {
	next := map[uuid.UUID]int{} // part for the next chapter of a group
	var parts [][]parsed
	for _, c := range chapters {
		part := 0
		for _, by := range c.by {
			part = max(part, next[by])
		}
		if len(c.by) == 0 { // by nobody knows whom
			part = len(parts)
		}
		for _, by := range c.by {
			next[by] = part + 1
		}
		if part == len(parts) {
			parts = append(parts, nil)
		}
		parts[part] = append(parts[part], c)
	}
	return parts
}
