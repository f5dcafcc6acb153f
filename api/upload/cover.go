package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// maxDescription is how many characters the description of a cover may have.
const maxDescription = 512

// CoverDetails says what a cover is of.
type CoverDetails struct {
	Volume      string // such as 1 or 2.5; empty for a cover of no volume
	Locale      string // language of the cover, such as ja
	Description string // at most 512 characters; may be empty
}

// Cover adds a cover to a title (POST /cover/{mangaOrCoverId}). The source must yield one picture,
// which is checked like a page before it is sent. It is sent once: if the answer is lost, the error
// is [ErrOutcomeUnknown].
func Cover(ctx context.Context, client *api.Client, manga uuid.UUID, source Source, details CoverDetails) (*api.Cover, error) {
	switch n := utf8.RuneCountInString(details.Description); {
	case client == nil:
		return nil, errNoClient
	case manga == uuid.Nil:
		return nil, errors.New("upload: the id of the title is empty; give that of the title the cover belongs to")
	case details.Locale == "":
		return nil, errors.New("upload: the cover has no language; set Locale to a code such as ja or en")
	case n > maxDescription:
		return nil, fmt.Errorf("upload: the description of the cover has %d characters, and %d are allowed; shorten it", n, maxDescription)
	}
	pictures, err := source.pictures()
	if err != nil {
		return nil, err
	}
	if len(pictures) != 1 {
		return nil, fmt.Errorf("upload: %d pictures for one cover; give one", len(pictures))
	}
	picture := pictures[0]
	if err := picture.check(); err != nil {
		return nil, err
	}
	content, err := picture.read()
	if err != nil {
		return nil, err
	}
	answer, err := client.UploadCover(ctx, manga, api.CoverUpload{
		File:        api.File{Name: picture.name, Content: bytes.NewReader(content)},
		Volume:      details.Volume,
		Locale:      details.Locale,
		Description: details.Description,
	})
	switch {
	case err == nil && answer.Data.ID != uuid.Nil:
		return &answer.Data, nil
	case err == nil:
		err = errors.New("the answer has no cover in it")
	case !api.MayBeDone(err):
		return nil, fmt.Errorf("upload: the cover cannot be added: %w", err)
	}
	return nil, fmt.Errorf("upload: %w: no clear answer arrived (%w); look for the cover before adding it again", ErrOutcomeUnknown, err)
}
