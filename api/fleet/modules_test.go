package fleet_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Programs without this module pay nothing for it: neither it nor what it requires is among the
// requirements of the library.
func TestOthersDoWithout(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-m", "all")
	list.Dir = "../.."
	all, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	const library, ids = "github.com/mangadex-go/mangadex", "github.com/google/uuid"                         // which both have
	mine := regexp.MustCompile(`(?m)^(?:module |\t)(\S+)(?: v\S+)?$`).FindAllStringSubmatch(string(mod), -1) // without those that are indirect
	if len(mine) < 4 || !strings.HasPrefix(string(all), library+"\n") {
		t.Fatalf("%v in go.mod, and the library lists %s", mine, all)
	}
	for _, found := range mine {
		if name := found[1]; name != library && name != ids && strings.Contains(string(all), "\n"+name+" ") {
			t.Errorf("the library requires %s", name)
		}
	}
}

// In the strictest mode of the standard library's cryptography everything works, although scripts are named
// by a hash that is not approved.
func TestFIPS(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("there is no redis-server; it is in the package of that name")
	}
	again := exec.Command(os.Args[0], "-test.v", "-test.run", "^(TestEncryptedStore|TestGiveBack|TestLearnedLimit)$/^redis-server$")
	again.Env = append(os.Environ(), "GODEBUG=fips140=only")
	if out, err := again.CombinedOutput(); err != nil || strings.Count(string(out), "    --- PASS: ") < 3 {
		t.Errorf("%v: %s", err, out)
	}
}
