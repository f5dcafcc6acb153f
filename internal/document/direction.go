package document

import "strings"

// held returns the components that requests and answers of documents hold.
func held(docs ...Document) (sent, got map[string]bool) {
	sent, got = map[string]bool{}, map[string]bool{}
	for _, doc := range docs {
		var visit func(value any, seen map[string]bool)
		visit = func(value any, seen map[string]bool) {
			switch value := value.(type) {
			case []any:
				for _, v := range value {
					visit(v, seen)
				}
			case map[string]any:
				if ref, ok := value["$ref"].(string); ok {
					name := ref[strings.LastIndexByte(ref, '/')+1:]
					if !seen[name] {
						seen[name] = true
						visit(lookup(doc, ref), seen)
					}
				}
				for _, v := range value {
					visit(v, seen)
				}
			}
		}
		for _, o := range Operations(doc) {
			visit([]any{o.item["parameters"], o.object["parameters"], o.object["requestBody"]}, sent)
			visit(o.object["responses"], got)
		}
	}
	return sent, got
}

// onlyGot reports whether a client only gets what stands at a place, and never sends it.
func (c *Changes) onlyGot(at place) bool {
	if at.component {
		return c.got[at.root] && !c.sent[at.root]
	}
	return strings.Contains(at.root, " response ") || strings.HasPrefix(at.root, "response component ")
}

// onlySent reports whether a client only sends what stands at a place, and never gets it.
func (c *Changes) onlySent(at place) bool {
	if at.component {
		return c.sent[at.root] && !c.got[at.root]
	}
	return !c.onlyGot(at)
}

// narrows tells of what lets less through than before, which breaks what is sent and nothing that is got.
func (c *Changes) narrows(at place, format string, args ...any) {
	if c.onlyGot(at) {
		c.notes(format+", which only answers have", args...)
	} else {
		c.breaks(format, args...)
	}
}

// widens tells of what lets more through than before, which breaks what is got and nothing that is sent.
func (c *Changes) widens(at place, format string, args ...any) {
	if c.onlySent(at) {
		c.notes(format+", which only requests have", args...)
	} else {
		c.breaks(format, args...)
	}
}
