package command

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// ParseID reads the id of something, or a link to it such as https://mangadex.org/title/{id}/name.
// Kind is what a link is to, such as title or chapter; an id alone does not tell.
func ParseID(text string) (id uuid.UUID, kind string, ok bool) {
	if id, err := uuid.Parse(text); err == nil && len(text) == 36 {
		return id, "", true
	}
	if !IsLink(text) {
		text = "https://" + text // which browsers do not show
	}
	u, err := url.Parse(text)
	if err != nil || strings.TrimPrefix(u.Hostname(), "www.") != "mangadex.org" {
		return uuid.Nil, "", false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return uuid.Nil, "", false
	}
	id, err = uuid.Parse(parts[1])
	return id, parts[0], err == nil
}

// IsLink reports whether a text is meant as an address.
func IsLink(text string) bool { return strings.Contains(text, "://") }

// ParseLanguages reads codes of languages with commas between them.
func ParseLanguages(text string) ([]string, error) {
	codes := strings.Split(text, ",")
	for i, code := range codes {
		codes[i] = strings.TrimSpace(code)
		if !language.MatchString(codes[i]) {
			return nil, Usagef("%q is not the code of a language, such as en or pt-br", code)
		}
	}
	return codes, nil
}

var language = regexp.MustCompile("^[a-z]{2}(-[a-z]{2})?$")
