package apitest

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

type reportReason struct {
	head
	category string
	text     string
	details  bool // are required
}

func (r *reportReason) attributes(time.Time) any {
	return map[string]any{"reason": localized{"en": r.text}, "detailsRequired": r.details, "category": r.category, "version": r.version}
}

func (r *reportReason) relationships() []relationship { return nil }

type report struct {
	head
	details  string
	objectID uuid.UUID
	status   string
	reporter *user
	reason   *reportReason
}

func (r *report) attributes(time.Time) any {
	return map[string]any{"details": r.details, "objectId": r.objectID, "status": r.status, "createdAt": stamp(r.created)}
}

func (r *report) relationships() []relationship {
	return []relationship{{kind: kindUser, target: r.reporter}, {kind: "report_reason", target: r.reason}}
}

func listReportReasons(c *call) ([]byte, error) {
	var found []*reportReason
	for _, r := range c.reasons.all {
		if r.category == c.params["category"] {
			found = append(found, r)
		}
	}
	return many(found, page{limit: len(found)}, len(found), nil, c.now), nil
}

var reportKeys = map[string]func(a, b *report) int{"createdAt": byCreated[*report]}

func listReports(c *call) ([]byte, error) {
	category, status := c.query.Get("category"), c.query.Get("status")
	reason, object := c.query.Get("reasonId"), c.query.Get("objectId")
	return list(c, &c.reports, c.order(orderKey{"createdAt", true}), reportKeys, func(r *report) bool {
		return (r.reporter == c.user || c.user.may("report.list.any")) && (category == "" || r.reason.category == category) &&
			(status == "" || r.status == status) && (reason == "" || r.reason.id.String() == reason) && (object == "" || r.objectID.String() == object)
	})
}

func createReport(c *call) ([]byte, error) {
	body := fields[struct {
		Category         string
		Reason, ObjectID uuid.UUID
		Details          string
	}](c)
	reason, ok := c.reasons.get(body.Reason)
	if !ok || reason.category != body.Category {
		return nil, notFound("Report reason", body.Reason)
	}
	if reason.details && strings.TrimSpace(body.Details) == "" {
		return nil, invalid("/details", "this reason needs details")
	}
	exists := map[string]func(uuid.UUID) bool{
		"manga":            func(id uuid.UUID) bool { _, ok := c.manga.get(id); return ok },
		"chapter":          func(id uuid.UUID) bool { _, ok := c.chapters.get(id); return ok },
		"scanlation_group": func(id uuid.UUID) bool { _, ok := c.groups.get(id); return ok },
		"user":             func(id uuid.UUID) bool { _, ok := c.users.get(id); return ok },
		"author":           func(id uuid.UUID) bool { _, ok := c.authors.get(id); return ok },
	}
	if !exists[body.Category](body.ObjectID) {
		return nil, notFound("Object", body.ObjectID)
	}
	c.reports.add(&report{head: newHead("report", c.now), details: body.Details, objectID: body.ObjectID, status: "waiting", reporter: c.user, reason: reason})
	c.status = http.StatusCreated
	return done, nil
}
