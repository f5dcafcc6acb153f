package apitest

import "net/http"

// siteKey is that of all captchas of this server.
const siteKey = "00000000-0000-4000-8000-00000000cafe"

func captcha() error {
	return &problem{
		status: http.StatusForbidden, title: "captcha_required_exception", detail: "A captcha must be solved first.",
		context: map[string]string{"siteKey": siteKey}, header: http.Header{"X-Captcha-Sitekey": {siteKey}},
	}
}

// solved tells whether the sender of the request has solved a captcha: it brings the solution, or
// has sent it before.
func (x *exchange) solved() bool {
	if x.request.Header.Get("X-Captcha-Result") != "" {
		return true
	}
	st := x.server.store
	st.Lock()
	defer st.Unlock()
	token, _ := bearer(x.request)
	record := st.mint.records[token]
	return st.solved[address(x.request)] || record != nil && st.solved[record.session.user.username]
}

// solveCaptcha takes any solution, and remembers who has found it.
func solveCaptcha(c *call) ([]byte, error) {
	c.store.solved[address(c.request)] = true
	if c.user != nil {
		c.store.solved[c.user.username] = true
	}
	return done, nil
}
