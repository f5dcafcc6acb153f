package authn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// envPrefix begins the names of all variables.
const envPrefix = "MANGADEX_"

// envNames are the variables that [FromEnv] reads, without the prefix.
var envNames = []string{"CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "REFRESH_TOKEN", "TOKEN_FILE"}

// FromEnv takes the credentials from the environment.
//
//	MANGADEX_CLIENT_ID, MANGADEX_CLIENT_SECRET   see WithPersonalClient
//	MANGADEX_USERNAME, MANGADEX_PASSWORD         see WithPassword
//	MANGADEX_REFRESH_TOKEN                       see WithRefreshToken
//	MANGADEX_TOKEN_FILE                          the path of a file store, see WithStore
//
// An empty variable counts as missing. If all are missing the session is anonymous until
// [Session.LoginWith]. Half a pair is an error.
func FromEnv() Option {
	return func(s *settings) error {
		values := make(map[string]string, len(envNames))
		for _, name := range envNames {
			values[name] = os.Getenv(envPrefix + name)
		}
		return s.set("the environment", values)
	}
}

// FromFile reads a JSON object with the same names as [FromEnv], in upper or lower case, with or
// without MANGADEX_. The file must have no other names in it. It must not be readable by everybody
// (chmod 600), unless nobody may write it, as with a mounted secret.
func FromFile(path string) Option {
	return func(s *settings) error {
		path, err := atHome(path)
		var data []byte
		if err == nil {
			data, err = readSecrets(path, true)
		}
		if err != nil {
			return fmt.Errorf("authn: the file with the credentials cannot be used: %w", err)
		}
		var given map[string]any
		data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows put it there
		if err := json.Unmarshal(data, &given); err != nil || given == nil {
			return fmt.Errorf(`authn: %s is not a JSON object like {"username": "…", "password": "…"}: %s`, path, position(err))
		}
		values := make(map[string]string, len(given))
		for key, value := range given {
			name := strings.TrimPrefix(strings.ToUpper(key), envPrefix)
			if !slices.Contains(envNames, name) {
				return fmt.Errorf("authn: %s has the unknown name %q; known are %s", path, key, strings.ToLower(strings.Join(envNames, ", ")))
			}
			if _, twice := values[name]; twice {
				return fmt.Errorf("authn: %s has %s twice", path, strings.ToLower(name))
			}
			text, ok := value.(string)
			if !ok {
				return fmt.Errorf("authn: %s: %q must be a string", path, key)
			}
			values[name] = text
		}
		return s.set(path, values)
	}
}

// position tells where JSON is wrong, without quoting it.
func position(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("wrong at byte %d", syntax.Offset)
	}
	return "it holds something else"
}

// set applies what was found in a place.
func (s *settings) set(place string, values map[string]string) error {
	for _, names := range [][2]string{{"CLIENT_ID", "CLIENT_SECRET"}, {"USERNAME", "PASSWORD"}} {
		for i, name := range names {
			if other := names[1-i]; values[name] == "" && values[other] != "" {
				return fmt.Errorf("authn: %s has %s%s but not %s%s", place, envPrefix, other, envPrefix, name)
			}
		}
	}
	var options []Option
	if values["CLIENT_ID"] != "" {
		options = append(options, WithPersonalClient(values["CLIENT_ID"], values["CLIENT_SECRET"]))
	}
	if values["USERNAME"] != "" {
		options = append(options, WithPassword(values["USERNAME"], values["PASSWORD"]))
	}
	if values["REFRESH_TOKEN"] != "" {
		options = append(options, WithRefreshToken(values["REFRESH_TOKEN"]))
	}
	if values["TOKEN_FILE"] != "" {
		options = append(options, WithStore(NewFileStore(values["TOKEN_FILE"])))
	}
	if err := Options(options...)(s); err != nil {
		return fmt.Errorf("%w (from %s)", err, place)
	}
	return nil
}
