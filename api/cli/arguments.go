package cli

import (
	"fmt"
	"regexp"
	"strings"
)

// IsLink reports whether a text is meant as an address.
func IsLink(text string) bool { return strings.Contains(text, "://") }

// ParseLanguages reads codes of languages with commas between them.
func ParseLanguages(text string) ([]string, error) {
	codes := strings.Split(text, ",")
	for i, code := range codes {
		codes[i] = strings.TrimSpace(code)
		if !language.MatchString(codes[i]) {
			return nil, fmt.Errorf("%q is not the code of a language, such as en or pt-br", code)
		}
	}
	return codes, nil
}

var language = regexp.MustCompile("^[a-z]{2}(-[a-z]{2})?$")
