package athome

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/api"
)

// SaveCBZ writes the chapter to a file as [Chapter.WriteCBZ] does. The file is there only when it
// is whole, and replaces one of the same name; the folder is made if it is not there. Only one
// SaveCBZ at a time can write a file.
func (c *Chapter) SaveCBZ(ctx context.Context, path string) error {
	dir := filepath.Dir(path)
	if err := checkPath(path); err != nil {
		return c.errorf(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return c.errorf(err)
	}
	removeParts(dir, partOf(path))
	f := &file{dir: dir, prefix: partOf(path)}
	if err := f.begin(-1); err != nil {
		return c.errorf(err)
	}
	defer f.discard()
	if err := c.WriteCBZ(ctx, f); err != nil {
		return err
	}
	if err := f.f.Sync(); err != nil { // unlike a page, an archive is not checked again later
		return c.errorf(err)
	}
	if err := f.keep(path); err != nil {
		return c.errorf(err)
	}
	return nil
}

// WriteCBZ writes the chapter as a comic book archive: a zip of the pages in reading order, not
// compressed any further, and of ComicInfo.xml, by which readers know the series, the number and
// the groups. The same chapter gives the same bytes.
//
// It fetches ahead like [Chapter.All], and ends at the first page that cannot be had.
func (c *Chapter) WriteCBZ(ctx context.Context, w io.Writer) error {
	if w == nil {
		return c.errorf(errors.New("the writer for the archive is nil; give one, or a path to SaveCBZ"))
	}
	info, modified, err := c.comicInfo(ctx)
	if err != nil {
		return c.errorf(err)
	}
	archive := zip.NewWriter(w)
	if err := store(archive, "ComicInfo.xml", info, modified); err != nil {
		return c.errorf(err)
	}
	for image, err := range c.walk(ctx, true) {
		if err != nil {
			return err
		}
		if err := store(archive, c.stem(image.Page.Index)+image.Ext(), image.Data, modified); err != nil {
			return c.errorf(err)
		}
	}
	if err := archive.Close(); err != nil {
		return c.errorf(err)
	}
	return nil
}

// store adds a file to an archive, as it is. Size and checksum come before the content, because
// many readers cannot do without.
func store(archive *zip.Writer, name string, content []byte, modified time.Time) error {
	header := &zip.FileHeader{
		Name:               name,
		Method:             zip.Store,
		CRC32:              crc32.ChecksumIEEE(content),
		CompressedSize64:   uint64(len(content)),
		UncompressedSize64: uint64(len(content)),
	}
	header.SetModTime(modified) //nolint:staticcheck // CreateRaw does not look at Modified
	w, err := archive.CreateRaw(header)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// comicInfo holds the elements of ComicInfo 2.0 that MangaDex knows something about, in the order
// of its schema.
type comicInfo struct {
	XMLName         xml.Name `xml:"ComicInfo"`
	Title           string   `xml:",omitempty"`
	Series          string   `xml:",omitempty"`
	Number          string   `xml:",omitempty"`
	Volume          *int32   `xml:",omitempty"` // 2.5 is not a volume there
	Year            int      `xml:",omitempty"`
	Month           int      `xml:",omitempty"`
	Day             int      `xml:",omitempty"`
	Web             string
	PageCount       int
	LanguageISO     string `xml:",omitempty"`
	Manga           string `xml:",omitempty"`
	ScanInformation string `xml:",omitempty"`
}

// comicInfo makes ComicInfo.xml, and says when the chapter appeared.
func (c *Chapter) comicInfo(ctx context.Context) ([]byte, time.Time, error) {
	details, err := c.fullDetails(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	a := &details.Attributes
	info := comicInfo{
		Title:       text(a.Title),
		Number:      text(a.Chapter),
		Web:         "https://mangadex.org/chapter/" + c.id.String(),
		PageCount:   len(c.pages),
		LanguageISO: languageTag(a.TranslatedLanguage),
	}
	if volume, err := strconv.ParseInt(text(a.Volume), 10, 32); err == nil {
		v := int32(volume)
		info.Volume = &v
	}
	published := a.PublishAt.UTC()
	if !a.PublishAt.IsZero() {
		info.Year, info.Month, info.Day = published.Year(), int(published.Month()), published.Day()
	}
	if manga, ok := details.Relationships.Manga(); ok && manga.Attributes != nil {
		info.Series = manga.Attributes.Title.String()
		if manga.Attributes.OriginalLanguage == "ja" {
			info.Manga = "YesAndRightToLeft"
		}
	}
	var groups []string
	for _, group := range details.Relationships.Groups() {
		if group.Attributes != nil && group.Attributes.Name != "" {
			groups = append(groups, group.Attributes.Name)
		}
	}
	info.ScanInformation = strings.Join(groups, ", ")
	body, err := xml.MarshalIndent(info, "", "  ")
	if err != nil {
		return nil, time.Time{}, err
	}
	return append([]byte(xml.Header), append(body, '\n')...), published, nil
}

// fullDetails asks the server for what [WithDetails] did not say.
func (c *Chapter) fullDetails(ctx context.Context) (api.Chapter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked && !isFull(c.details.Relationships) {
		if err := c.ask(ctx); err != nil {
			return api.Chapter{}, err
		}
	}
	return c.details, nil
}

// isFull reports whether relationships come with the attributes of the title and of the groups.
func isFull(rs api.Relationships) bool {
	manga, ok := rs.Manga()
	if !ok || manga.Attributes == nil {
		return false
	}
	for _, group := range rs.Groups() {
		if group.Attributes == nil {
			return false
		}
	}
	return true
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// languageTag turns a language of MangaDex into a tag of BCP 47.
func languageTag(language string) string {
	base, region, ok := strings.Cut(language, "-")
	switch {
	case !ok:
		return base
	case region == "ro": // romanised
		return base + "-Latn"
	case language == "es-la": // Latin America
		return "es-419"
	}
	return base + "-" + strings.ToUpper(region)
}

// checkPath refuses a path that is not one of a file.
func checkPath(path string) error {
	if path == "" || os.IsPathSeparator(path[len(path)-1]) {
		return fmt.Errorf("%q is not the name of a file; give one like chapter.cbz", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%q is a folder; give the name of a file in it", path)
	}
	return nil
}
