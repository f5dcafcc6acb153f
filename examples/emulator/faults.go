package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api/apitest"
)

const faultsHelp = `
A fault is the id of an operation (empty: any of the API; also Page, Cover, Report, Token, Revoke,
EndSession, UserInfo, Discovery, Keys, Authorize, Authenticate), a colon, and what happens:
  status=503         this status in place of the answer
  html               a page of a proxy
  delay=2s           nothing for so long
  drop               no answer
  after              status, html, delay and drop come when what was asked for is done
  late=2s            it is done so long after the answer, which is status or 504
  empty              the body is {}
  drop-body          the connection ends after the header
  truncate           half of the body
  reset              a connection that ends is reset
  slow=2s            a body that takes so long
  stall=1m           nothing for so long in the middle of the body
  corrupt            a wrong byte in the body
  skew=5m            a Date that is wrong by so much
  clamp=20           a page of a list has no more entries than that
  short=1            a page of a list lacks that many entries, and does not say so
  repeat=1           a page of a list begins with that many of the page before
  delete=1           that many entries of the page of a list are deleted after the answer
  rename=1           that many titles of the answer get another name after it
  renumber=1         that many chapters of the answer get the next number after it
  revolume=1         … the next volume
  regroup=1          … another group
  replace=1          … another picture in the place of their first page
  shuffle            entries of a list that are equal by its order come in any order
  captcha            403 until a captcha is solved
  refuse-pages=1     UploadPages does not take that many of its files
  hold=1m            the chapter of CommitUpload is in no list for so long
  forget-token       the token of the request does not hold any more
  expire-base-url    no base URL given out so far holds any more
  node=1             it strikes only pages of this at-home node, 1 or 2
  skip=3             how many requests pass before it strikes
  count=2            how many requests it strikes, 1 by default, or always
  probability=0.1    it strikes a request with this probability
`

// A faultsFlag is a list of faults, separated by semicolons.
type faultsFlag []apitest.Fault

// String implements flag.Value.
func (f *faultsFlag) String() string { return "" }

// Set implements flag.Value.
func (f *faultsFlag) Set(text string) error {
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		fault, err := parseFault(part)
		if err != nil {
			return err
		}
		*f = append(*f, fault)
	}
	return nil
}

func parseFault(text string) (apitest.Fault, error) {
	operation, rest, ok := strings.Cut(text, ":")
	if !ok {
		return apitest.Fault{}, fmt.Errorf("the fault %q has no colon after the operation", text)
	}
	f := apitest.Fault{Operation: strings.TrimSpace(operation)}
	for setting := range strings.SplitSeq(rest, ",") {
		name, value, given := strings.Cut(strings.TrimSpace(setting), "=")
		if err := set(&f, name, value, given); err != nil {
			return f, fmt.Errorf("the fault %q: %w", text, err)
		}
	}
	return f, nil
}

// set writes one setting into a fault.
func set(f *apitest.Fault, name, value string, given bool) (err error) {
	switches := map[string]*bool{
		"html": &f.HTML, "drop": &f.Drop, "after": &f.After, "empty": &f.Empty, "drop-body": &f.DropBody, "truncate": &f.Truncate,
		"reset": &f.Reset, "corrupt": &f.Corrupt, "shuffle": &f.Shuffle, "captcha": &f.Captcha,
		"forget-token": &f.ForgetToken, "expire-base-url": &f.ExpireBaseURL,
	}
	durations := map[string]*time.Duration{"delay": &f.Delay, "late": &f.Late, "slow": &f.Slow, "stall": &f.Stall, "hold": &f.Hold, "skew": &f.Skew}
	numbers := map[string]*int{
		"status": &f.Status, "clamp": &f.Clamp, "short": &f.Short, "repeat": &f.Repeat, "delete": &f.Delete,
		"rename": &f.Rename, "renumber": &f.Renumber, "revolume": &f.Revolume, "regroup": &f.Regroup, "replace": &f.Replace,
		"refuse-pages": &f.RefusePages, "node": &f.Node, "skip": &f.Skip, "count": &f.Count,
	}
	switch {
	case switches[name] != nil:
		if given {
			return fmt.Errorf("%s takes no value", name)
		}
		*switches[name] = true
		return nil
	case durations[name] != nil:
		if *durations[name], err = time.ParseDuration(value); err != nil {
			err = errors.New("a time such as 2s or 1m is needed")
		}
	case name == "count" && value == "always":
		f.Count = apitest.Always
	case numbers[name] != nil:
		if *numbers[name], err = strconv.Atoi(value); err != nil || *numbers[name] < 1 {
			err = errors.New("a number from 1 on is needed")
		}
	case name == "probability":
		if f.Probability, err = strconv.ParseFloat(value, 64); err != nil || !(f.Probability > 0 && f.Probability <= 1) {
			err = errors.New("a number above 0 is needed, 1 at most")
		}
	default:
		known := slices.Concat(slices.Collect(maps.Keys(switches)), slices.Collect(maps.Keys(durations)), slices.Collect(maps.Keys(numbers)), []string{"probability"})
		slices.Sort(known)
		return fmt.Errorf("there is no %q; there are %s", name, strings.Join(known, ", "))
	}
	if err != nil {
		return fmt.Errorf("%s has the value %q: %w", name, value, err)
	}
	return nil
}
