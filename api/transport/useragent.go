package transport

import (
	"errors"
	"fmt"
	"strings"
)

// Version is the version of this module, as the User-Agent says it.
const Version = "0.1.0"

// Product is how this library names itself, the whole User-Agent of a program without a name.
const Product = "mangadex-go/" + Version + " (+https://github.com/mangadex-go/mangadex)"

// browsers are words by which MangaDex recognises a client that pretends to be a browser.
var browsers = []string{"mozilla/", "applewebkit", "gecko", "chrome/", "safari/", "opera", "msie", "trident/", "edg/"}

// UserAgent returns the value of the header for an application: this library, then the
// application. It refuses what MangaDex refuses, an empty name and that of a browser.
func UserAgent(application string) (string, error) {
	const like = `; name the program and how to reach its maker, like "shelf/1.2 (+https://shelf.example)"`
	application = strings.TrimSpace(application)
	if application == "" {
		return "", errors.New("transport: the name for the User-Agent is empty" + like)
	}
	for _, r := range application {
		if r < ' ' || r == 0x7f {
			return "", fmt.Errorf("transport: the User-Agent %q has a control character, which a header cannot hold", application)
		}
	}
	lower := strings.ToLower(application)
	for _, word := range browsers {
		if strings.Contains(lower, word) {
			return "", fmt.Errorf("transport: the User-Agent %q looks like that of a browser (%q), which MangaDex refuses"+like, application, word)
		}
	}
	return Product + " " + application, nil
}
