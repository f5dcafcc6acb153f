package main

import (
	"fmt"
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
  slow=2s            a body that takes so long
  drop               no answer
  truncate           half of the body
  corrupt            a wrong byte in the body
  skew=5m            a Date that is wrong by so much
  captcha            403 until a captcha is solved
  forget-token       the token of the request does not hold any more
  expire-base-url    no base URL given out so far holds any more
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
		"html": &f.HTML, "drop": &f.Drop, "truncate": &f.Truncate, "corrupt": &f.Corrupt, "captcha": &f.Captcha,
		"forget-token": &f.ForgetToken, "expire-base-url": &f.ExpireBaseURL,
	}
	durations := map[string]*time.Duration{"delay": &f.Delay, "slow": &f.Slow, "skew": &f.Skew}
	switch {
	case switches[name] != nil:
		if given {
			return fmt.Errorf("%s takes no value", name)
		}
		*switches[name] = true
		return nil
	case durations[name] != nil:
		*durations[name], err = time.ParseDuration(value)
	case name == "status":
		f.Status, err = strconv.Atoi(value)
		if err == nil && (f.Status < 200 || f.Status > 599) {
			err = fmt.Errorf("there is no status %d", f.Status)
		}
	case name == "count" && value == "always":
		f.Count = apitest.Always
	case name == "count":
		f.Count, err = strconv.Atoi(value)
		if err == nil && f.Count < 1 {
			err = fmt.Errorf("a count of %d", f.Count)
		}
	case name == "probability":
		f.Probability, err = strconv.ParseFloat(value, 64)
		if err == nil && !(f.Probability > 0 && f.Probability <= 1) {
			err = fmt.Errorf("a probability of %v", f.Probability)
		}
	default:
		known := []string{"status", "delay", "slow", "skew", "count", "probability"}
		for name := range switches {
			known = append(known, name)
		}
		slices.Sort(known)
		return fmt.Errorf("there is no %q; there are %s", name, strings.Join(known, ", "))
	}
	if err != nil {
		return fmt.Errorf("%s=%s is not valid: %w", name, value, err)
	}
	return nil
}
