package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/api/reading"
	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// saveCovers saves the covers of the title into a folder, but those that are there. One that cannot be had is
// told, and the others are saved.
func (j *job) saveCovers(ctx context.Context, c *command.Command) error {
	options := []athome.Option{athome.WithClient(j.client)}
	if uploads := uploadsOf(c, j.client); uploads != "" {
		options = append(options, athome.WithUploadsServer(uploads))
	}
	covers, err := athome.NewCovers(options...)
	if err != nil {
		return err
	}
	defer covers.Close()
	dir := filepath.Join(j.dir, "covers")
	for cover, err := range j.client.ListCoversAll(ctx, &api.ListCoversParams{Manga: []uuid.UUID{j.manga.ID}}) {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, coverName(&cover))
		if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
			continue // its name has the id, and covers do not change
		}
		err := covers.Save(ctx, j.manga.ID, cover.Attributes.FileName, api.CoverOriginal, to)
		switch {
		case err != nil && (ctx.Err() != nil || endsAll(err)):
			return err
		case err != nil:
			j.tally.failed = append(j.tally.failed, "a cover: "+oneLine(err))
		case !j.json:
			c.Print("%s", to)
		}
	}
	return nil
}

// coverName is the name for a cover, which sorts by volume.
func coverName(cover *api.Cover) string {
	name := "cover"
	if volume := reading.NumberOf(cover.Attributes.Volume); !volume.IsZero() {
		name += " v" + volume.Pad(reading.Width{Whole: 2})
	}
	if locale := cover.Attributes.Locale; locale != nil && *locale != "" {
		name += " [" + *locale + "]"
	}
	ext := strings.ToLower(path.Ext(cover.Attributes.FileName))
	if len(ext) > 5 {
		ext = ""
	}
	return reading.FileName(name + fmt.Sprintf(" [%.8s]", cover.ID) + ext)
}

// uploadsOf is where the covers of a server of one's own are, as in examples/emulator; empty for MangaDex.
func uploadsOf(c *command.Command, client *api.Client) string {
	switch server := client.Server(); {
	case c.Fake() != nil:
		return c.Fake().UploadsURL
	case server == api.Production, server == api.Development:
		return ""
	default:
		return server + "/uploads"
	}
}
