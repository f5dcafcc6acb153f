package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/apitest"
)

// publish adds a chapter to one title after the other, until the context ends: first to those that
// somebody follows, so that who watches the new chapters has something to see.
func publish(ctx context.Context, server *apitest.Server, every time.Duration, accounts []string, logger *slog.Logger) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		titles := followed(server, accounts)
		if len(titles) == 0 {
			for _, m := range server.State().Manga() {
				titles = append(titles, m.ID)
			}
		}
		manga := titles[n%len(titles)]
		number := next(server.State().Chapters(manga))
		id, err := server.State().AddChapter(apitest.Chapter{Manga: manga, Number: number, Title: "Published " + strconv.Itoa(n+1), Pages: 4})
		if err != nil {
			return fmt.Errorf("publish a chapter: %w", err)
		}
		logger.Info("a chapter is published", "manga", manga, "chapter", id, "number", number)
	}
}

// followed are the titles that the accounts follow.
func followed(server *apitest.Server, accounts []string) []uuid.UUID {
	var titles []uuid.UUID
	for _, name := range accounts {
		library, _ := server.State().Library(name)
		titles = append(titles, library.Manga...)
	}
	return titles
}

// next is the number after the highest one.
func next(chapters []apitest.Chapter) string {
	highest := 0
	for _, ch := range chapters {
		if n, err := strconv.ParseFloat(ch.Number, 64); err == nil {
			highest = max(highest, int(n))
		}
	}
	return strconv.Itoa(highest + 1)
}
