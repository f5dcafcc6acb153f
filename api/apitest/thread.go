package apitest

import (
	"github.com/google/uuid"
)

// A thread of the forums belongs to a title, a group or a chapter. Id 0 is none yet.
type thread struct{ id, replies int64 }

// comments are the thread as statistics show it.
func (t thread) comments() any {
	if t.id == 0 {
		return nil
	}
	return map[string]int64{"threadId": t.id, "repliesCount": t.replies}
}

func createForumThread(c *call) ([]byte, error) {
	body := fields[struct {
		Type string
		ID   uuid.UUID
	}](c)
	var t *thread
	if m, ok := c.manga.get(body.ID); ok && body.Type == "manga" {
		t = &m.thread
	} else if ch, ok := c.chapters.get(body.ID); ok && body.Type == "chapter" {
		t = &ch.thread
	} else if g, ok := c.groups.get(body.ID); ok && body.Type == "group" {
		t = &g.thread
	}
	if t == nil {
		return nil, notFound("Object", body.ID)
	}
	if t.id == 0 {
		c.lastThread++
		t.id = c.lastThread
	}
	return object(map[string]any{"response": "entity", "data": map[string]any{
		"type": "thread", "id": t.id, "attributes": map[string]any{"repliesCount": t.replies},
	}}), nil
}
