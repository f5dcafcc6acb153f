package athome

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// SaveCBZ writes the chapter to a file as [Chapter.WriteCBZ] does. The file is there only when it
// is whole, and replaces one of the same name; the folder is made if it is not there. Only one
// SaveCBZ at a time can work on a chapter in a folder.
//
// Pages in an archive of that name are not fetched again but checked, by their SHA-256 or else by their
// head and end; an archive that is right already is left as it is. Until the archive is whole, fetched
// pages are in a folder beside it, .{id}.pages. After an interruption the next run goes on with them,
// even if it gives the archive another name.
//
// A page that cannot be had is left out, and the others are fetched. The error joins the *[PageError]
// of each missing page. The old archive stays, unless [WithGaps] lets one be written without these
// pages.
func (c *Chapter) SaveCBZ(ctx context.Context, path string) error {
	if err := checkPath(path); err != nil {
		return c.errorf(err)
	}
	info, modified, err := c.comicInfo(ctx)
	if err != nil {
		return c.errorf(err)
	}
	parts := filepath.Join(filepath.Dir(path), "."+c.id.String()+".pages")
	if err := atomicfile.MakeFolder(parts, 0o777); err != nil {
		return c.errorf(err)
	}
	t := newTracker(c.progress, len(c.pages))
	old := openArchive(path)
	defer old.Close()
	var missing []int
	for i := range c.pages {
		if e := old.find(c.pages[i], c.stem(i)); e != nil {
			t.had(e.size)
			continue
		}
		missing = append(missing, i)
	}
	lost, err := c.saveSome(ctx, parts, missing, t)
	if err != nil {
		return lost.join(err)
	}
	sheets, gaps, err := c.sheets(ctx, old, parts)
	switch {
	case err != nil:
		return c.errorf(err)
	case len(gaps) > 0 && (!c.gaps || len(sheets) == 0):
		return lost.join(nil)
	}
	if comment := gapComment(gaps, len(c.pages)); !old.same(info, sheets, comment) {
		err := replaceArchive(parts, path, func(w io.Writer) error {
			defer old.Close() // some systems replace no file that is open
			return writeArchive(w, info, modified, sheets, comment)
		})
		if err != nil {
			return c.errorf(err)
		}
	}
	if err := os.RemoveAll(parts); err != nil {
		return c.errorf(err)
	}
	if len(gaps) > 0 {
		return &IncompleteError{Chapter: c.id, Missing: gaps, Pages: len(c.pages), Err: lost.join(nil)}
	}
	return nil
}

// sheets are the pages for an archive, and the indexes of those that are nowhere.
func (c *Chapter) sheets(ctx context.Context, old *oldArchive, parts string) (sheets []sheet, gaps []int, err error) {
	fetched, err := scanFolder(ctx, parts)
	if err != nil {
		return nil, nil, err
	}
	for i, page := range c.pages {
		stem := c.stem(i)
		s, ok := sheetOf(old.find(page, stem), parts, fetched[stem])
		if !ok && len(c.others) > 0 {
			if s, ok = sheetOf(old.find(c.others[i], stem), parts, nil); ok {
				c.fallback(c.others[i])
			}
		}
		if !ok {
			gaps = append(gaps, i)
			continue
		}
		s.name = stem + s.ext
		sheets = append(sheets, s)
	}
	return sheets, gaps, nil
}

// gapComment says in an archive that pages are missing.
func gapComment(gaps []int, pages int) string {
	if len(gaps) == 0 {
		return ""
	}
	numbers := make([]string, len(gaps))
	for i, gap := range gaps {
		numbers[i] = fmt.Sprint(gap + 1)
	}
	return fmt.Sprintf("%d of %d pages are missing: %s", len(gaps), pages, strings.Join(numbers, ", "))
}

// replaceArchive writes an archive in the folder of its parts, where nothing is left of it if it comes to
// no end, and gives it its name.
func replaceArchive(parts, path string, write func(io.Writer) error) error {
	f, err := atomicfile.Create(filepath.Join(parts, "archive"), 0o666)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Discard()
		return err
	}
	if info, err := os.Stat(path); err == nil {
		_ = f.Chmod(info.Mode().Perm()) // as far as the file system has modes
	}
	return f.KeepAs(path)
}

// WriteCBZ writes the chapter as a comic book archive: a zip of the pages in reading order, not
// compressed any further, and of ComicInfo.xml, from which readers learn the series, the number and the
// groups. The same chapter gives the same bytes.
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
	if err := store(archive, comicInfoName, info, modified); err != nil {
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

const comicInfoName = "ComicInfo.xml"

// A sheet is a page on its way into an archive.
type sheet struct {
	name, ext string
	sum       string
	load      func() ([]byte, error)
}

// sheetOf is a page from an older archive, or else from the files that were fetched.
func sheetOf(e *entry, dir string, files []pageFile) (sheet, bool) {
	if e != nil {
		return sheet{ext: filepath.Ext(e.name), sum: e.sum, load: e.load}, true
	}
	if len(files) == 0 {
		return sheet{}, false
	}
	f := files[0]
	return sheet{ext: filepath.Ext(f.name), sum: f.sum, load: func() ([]byte, error) { return os.ReadFile(filepath.Join(dir, f.name)) }}, true
}

func writeArchive(w io.Writer, info []byte, modified time.Time, sheets []sheet, comment string) error {
	archive := zip.NewWriter(w)
	if err := archive.SetComment(comment); err != nil {
		return err
	}
	if err := store(archive, comicInfoName, info, modified); err != nil {
		return err
	}
	for _, s := range sheets {
		data, err := s.load()
		if err != nil {
			return err
		}
		if err := store(archive, s.name, data, modified); err != nil {
			return err
		}
	}
	return archive.Close()
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
