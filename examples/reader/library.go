package main

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/authn"
)

var statuses = []api.ReadingStatus{
	api.ReadingStatusReading, api.ReadingStatusPlanToRead, api.ReadingStatusOnHold,
	api.ReadingStatusReReading, api.ReadingStatusCompleted, api.ReadingStatusDropped,
}

// A library is what the account says of a title.
type library struct {
	loggedIn bool
	trouble  string // why the rest is not known; empty if it is
	followed bool
	status   api.ReadingStatus
	read     map[uuid.UUID]bool
}

// library asks for it. That it cannot be had is no reason not to show the title.
func (s *server) library(ctx context.Context, manga uuid.UUID) library {
	if s.session.Anonymous() {
		return library{}
	}
	var (
		l    = library{read: map[uuid.UUID]bool{}}
		wg   sync.WaitGroup
		errs [3]error
	)
	wg.Go(func() { l.followed, errs[0] = api.Found(s.client.CheckFollowedManga(ctx, manga)) })
	wg.Go(func() {
		answer, err := s.client.GetReadingStatus(ctx, manga)
		if errs[1] = err; err == nil {
			l.status = answer.Status
		}
	})
	wg.Go(func() {
		answer, err := s.client.GetMangaReadMarkers(ctx, manga)
		if errs[2] = err; err == nil {
			for _, id := range answer.Data.Chapters {
				l.read[id] = true
			}
		}
	})
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		l.trouble = explain(err).text
		if errors.Is(err, authn.ErrNotSaved) {
			l.trouble = short(err)
		}
	}
	l.loggedIn = !s.session.Anonymous() // it may have ended just now
	return l
}

func (s *server) follow(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(ctx context.Context, id uuid.UUID) error {
		if r.PostFormValue("follow") == "no" {
			return s.client.UnfollowManga(ctx, id)
		}
		return s.client.FollowManga(ctx, id)
	})
}

func (s *server) setStatus(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(ctx context.Context, id uuid.UUID) error {
		status := api.ReadingStatus(r.PostFormValue("status"))
		if status == "" {
			return s.client.SetReadingStatus(ctx, id, api.ReadingStatusEdit{Status: api.Null[api.ReadingStatus]()})
		}
		if !status.Valid() {
			return &problem{http.StatusBadRequest, "There is no such reading status."}
		}
		return s.client.SetReadingStatus(ctx, id, api.ReadingStatusEdit{Status: api.Value(status)})
	})
}

// markRead marks the chapters of a form as read or unread.
func (s *server) markRead(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(ctx context.Context, id uuid.UUID) error {
		var chapters []uuid.UUID
		for _, text := range r.PostForm["chapter"] {
			chapter, err := uuid.Parse(text)
			if err != nil {
				return &problem{http.StatusBadRequest, "That is not the id of a chapter."}
			}
			chapters = append(chapters, chapter)
		}
		if len(chapters) == 0 {
			return &problem{http.StatusBadRequest, "No chapter is chosen; tick some first."}
		}
		edit := api.ReadMarkersEdit{Read: chapters}
		if r.PostFormValue("as") == "unread" {
			edit = api.ReadMarkersEdit{Unread: chapters}
		}
		return s.client.MarkChapters(ctx, id, nil, edit)
	})
}

// change carries out what a form asks for and goes back to where it was.
func (s *server) change(w http.ResponseWriter, r *http.Request, do func(context.Context, uuid.UUID) error) error {
	id, err := idOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return &problem{http.StatusBadRequest, "The form did not arrive whole; send it again."}
	}
	if err := do(r.Context(), id); err != nil {
		return err
	}
	if quiet(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	next := local(r.PostFormValue("next"))
	if next == "/" {
		next = "/title/" + id.String()
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
