package reading

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/mangadex-go/mangadex/api"
)

// Tags finds the ids of tags by their names, for [api.SearchMangaParams], among all that
// [api.Client.ListTags] returns. Case, spaces and signs do not matter, so that sci fi finds Sci-Fi; a
// name can be in any language that the tag has. The error names the first name that is not found, with
// similar ones.
func Tags(all []api.Tag, names ...string) ([]uuid.UUID, error) {
	known := map[string]uuid.UUID{}
	for i := range all {
		for _, name := range all[i].Attributes.Name.All() {
			if key := fold(name); key != "" {
				known[key] = all[i].ID
			}
		}
	}
	ids := make([]uuid.UUID, 0, len(names))
	for _, name := range names {
		id, ok := known[fold(name)]
		if !ok {
			return nil, fmt.Errorf("reading: there is no tag %q%s", Short(name, 40), similar(all, name))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// similar names tags that a name may have meant.
func similar(all []api.Tag, name string) string {
	var found []string
	for i := range all {
		tag := all[i].Attributes.Name.String()
		if key, wanted := fold(tag), fold(name); len(found) < 3 && len(wanted) > 1 && len(wanted) < 40 && len(key) < 40 &&
			(strings.Contains(key, wanted) || strings.Contains(wanted, key) || strings.HasPrefix(key, wanted[:min(4, len(wanted))])) {
			found = append(found, fmt.Sprintf("%q", tag))
		}
	}
	if len(found) == 0 {
		return "; GET /manga/tag lists all"
	}
	return "; is it " + strings.Join(found, " or ") + "?"
}

// fold writes a text so that two that mean the same are equal: only its letters and digits count.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) {
			return r
		}
		return -1
	}, strings.ToLower(norm.NFKC.String(line(text, maxTitle))))
}

// AllRatings are all content ratings. Searches and feeds leave pornographic titles and their chapters
// out unless they are asked for.
func AllRatings() []api.ContentRating {
	return []api.ContentRating{api.ContentRatingSafe, api.ContentRatingSuggestive, api.ContentRatingErotica, api.ContentRatingPornographic}
}
