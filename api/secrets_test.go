package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/api"
)

// Values that hold a secret are sent as JSON and printed by nothing else.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = "hush-hush"
	for _, v := range []any{
		api.LegacyLoginRequest{Username: api.Ptr("someone"), Password: secret},
		api.LegacyRefreshRequest{Token: secret},
		api.LegacyLoginResponse{Token: api.LegacyTokens{Session: secret, Refresh: secret}},
		&api.APIClientSecret{Data: secret},
	} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%s %q %d", v, v, v), log.String()} {
			if strings.Contains(text, secret) {
				t.Errorf("%T is printed as %s", v, text)
			}
		}
		if data, err := json.Marshal(v); err != nil || !strings.Contains(string(data), secret) {
			t.Errorf("%T is sent as %s, %v", v, data, err)
		}
	}
}
