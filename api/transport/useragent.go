package transport

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
)

// module is this one, as the go command knows it.
const module = "github.com/mangadex-go/mangadex"

// Version is the version of this module that the program was built with, as its main module or as a
// dependency, without the v. It is "devel" where there is none, as in a test or where a folder replaces
// the module.
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	info, _ := debug.ReadBuildInfo()
	return versionIn(info)
})

func versionIn(info *debug.BuildInfo) string {
	if info == nil {
		return "devel"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path != module {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if version, ok := strings.CutPrefix(m.Version, "v"); ok {
			return version
		}
	}
	return "devel" // or without modules, or (devel)
}

// Product is how this library names itself, the whole User-Agent of a program without a name.
func Product() string { return "mangadex-go/" + Version() + " (+https://" + module + ")" }

// browsers are words by which MangaDex recognises a client that pretends to be a browser.
var browsers = []string{"mozilla/", "applewebkit", "gecko", "chrome/", "safari/", "opera", "msie", "trident/", "edg/"}

// UserAgent returns the value of the header for an application: this library, then the application. It
// refuses an empty name and the name of a browser, as MangaDex does.
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
	return Product() + " " + application, nil
}
