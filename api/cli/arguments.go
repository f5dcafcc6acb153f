package cli

import (
	"fmt"
	"strings"

	"github.com/mangadex-go/mangadex/api/reading"
)

// ParseLanguages reads codes of languages with commas between them.
func ParseLanguages(text string) ([]string, error) {
	codes := strings.Split(text, ",")
	for i, code := range codes {
		codes[i] = strings.TrimSpace(code)
		if !reading.IsLanguage(codes[i]) {
			return nil, fmt.Errorf("%q is not the code of a language, such as en or pt-br", code)
		}
	}
	return codes, nil
}
