package apitest

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"
)

// settingsAnswer is the settings of who asks, as they were sent.
func (c *call) settingsAnswer() []byte {
	answer := map[string]any{"settings": json.RawMessage("{}"), "updatedAt": nil, "template": nil}
	if c.user.settings != nil {
		answer["settings"], answer["updatedAt"], answer["template"] = c.user.settings, c.user.settingsAt, c.template().id
	}
	return object(answer)
}

func getSettings(c *call) ([]byte, error) { return c.settingsAnswer(), nil }

func updateSettings(c *call) ([]byte, error) {
	body := fields[struct {
		Settings  json.RawMessage
		UpdatedAt string
	}](c)
	c.user.settings, c.user.settingsAt = body.Settings, body.UpdatedAt
	return c.settingsAnswer(), nil
}

// A settingsTemplate says what settings there are. What it holds is up to those who write it.
type settingsTemplate struct {
	id      uuid.UUID
	content json.RawMessage
}

func (st *store) template() settingsTemplate { return st.templates[len(st.templates)-1] }

func (t settingsTemplate) answer() []byte {
	return object(map[string]any{"response": "entity", "data": map[string]any{
		"id": t.id, "type": "settings_template", "attributes": map[string]any{"template": t.content}, "relationships": []any{},
	}})
}

func getSettingsTemplate(c *call) ([]byte, error) { return c.template().answer(), nil }

func getSettingsTemplateVersion(c *call) ([]byte, error) {
	at := slices.IndexFunc(c.templates, func(t settingsTemplate) bool { return t.id == c.id("version") })
	if at < 0 {
		return nil, notFound("Settings template", c.id("version"))
	}
	return c.templates[at].answer(), nil
}

func createSettingsTemplate(c *call) ([]byte, error) {
	c.templates = append(c.templates, settingsTemplate{uuid.New(), slices.Clone(json.RawMessage(c.body))})
	return c.template().answer(), nil
}
