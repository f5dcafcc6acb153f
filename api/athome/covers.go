package athome

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// Covers fetches covers and their thumbnails. [NewCovers] makes one. It is safe for use by many
// goroutines. Close it when it is no longer needed.
type Covers struct {
	fetcher *fetcher
	uploads string
}

// NewCovers returns a [Covers], which fetches covers.
func NewCovers(options ...Option) (*Covers, error) {
	s, err := newSettings("NewCovers", options)
	if err != nil {
		return nil, err
	}
	return &Covers{fetcher: newFetcher(s), uploads: s.uploads}, nil
}

// Fetch fetches a cover of a title from /covers/{manga}/{fileName}, by the FileName of its
// attributes. One that does not exist is an [api.ErrNotFound].
func (c *Covers) Fetch(ctx context.Context, manga uuid.UUID, fileName string, size api.CoverSize) (Image, error) {
	m := &memory{}
	a, err := c.fetch(ctx, manga, fileName, size, m)
	if err != nil {
		return Image{}, err
	}
	return Image{ContentType: a.contentType, Data: m.data}, nil
}

// Save fetches a cover into a file, which is there only when it is whole and replaces one of the
// same name. The folder is made if it is not there. The original is of the type that its FileName
// ends in, the thumbnails are JPEG.
func (c *Covers) Save(ctx context.Context, manga uuid.UUID, fileName string, size api.CoverSize, path string) error {
	if err := checkPath(path); err != nil {
		return coverError(manga, fileName, err)
	}
	dir := filepath.Dir(path)
	if err := atomicfile.MakeFolder(dir, 0o777); err != nil {
		return coverError(manga, fileName, err)
	}
	removeParts(dir, partOf(path))
	f := &file{dir: dir, prefix: partOf(path)}
	defer f.discard()
	if _, err := c.fetch(ctx, manga, fileName, size, f); err != nil {
		return err
	}
	if err := f.keep(path); err != nil {
		return coverError(manga, fileName, err)
	}
	return nil
}

// fetch gets a cover, trying again as for a page.
func (c *Covers) fetch(ctx context.Context, manga uuid.UUID, fileName string, size api.CoverSize, out output) (arrival, error) {
	switch size {
	case api.CoverOriginal, api.CoverSmall, api.CoverMedium:
	default:
		return arrival{}, coverError(manga, fileName, fmt.Errorf("there is no size %q; use api.CoverOriginal, api.CoverSmall or api.CoverMedium", size))
	}
	if manga == uuid.Nil {
		return arrival{}, coverError(manga, fileName, errors.New("the id of the title is empty; give that of the title the cover belongs to"))
	}
	if fileName == "" || fileName == "." || fileName == ".." {
		return arrival{}, coverError(manga, fileName, errors.New("this is not the name of a cover; use the FileName of its attributes"))
	}
	address := c.uploads + strings.TrimPrefix(api.CoverURL(manga, fileName, size), api.Uploads)
	for try := 1; ; try++ {
		a, err := c.fetcher.get(ctx, address, "", out, nil)
		if err == nil {
			return a, nil
		}
		final := try == triesPerHost || ctx.Err() != nil || isRefusal(err) ||
			errors.Is(err, api.ErrNotFound) || errors.Is(err, ErrTooLarge) || errors.As(err, new(outputError))
		if asked := retryAfter(err); !final && asked <= maxBusy {
			if waitErr := pause(ctx, try, asked); waitErr == nil {
				continue
			}
		}
		return a, coverError(manga, fileName, err)
	}
}

func coverError(manga uuid.UUID, fileName string, err error) error {
	return fmt.Errorf("athome: cover %q of title %s: %w", fileName, manga, err)
}

// Close frees idle connections.
func (c *Covers) Close() error {
	c.fetcher.close()
	return nil
}
