package apitest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

var coverKeys = map[string]func(a, b *cover) int{
	"createdAt": byCreated[*cover],
	"updatedAt": byUpdated[*cover],
	"volume":    func(a, b *cover) int { return byNumber(a.fields.Volume, b.fields.Volume) },
}

func listCovers(c *call) ([]byte, error) {
	manga, uploaders, locales := set(c.ids("manga[]")), set(c.ids("uploaders[]")), texts(c.query["locales[]"])
	return list(c, &c.covers, c.order(), coverKeys, func(k *cover) bool {
		return c.sees(k.manga) && (manga == nil || manga[k.manga.id]) && (uploaders == nil || uploaders[k.uploader.id]) &&
			(locales == nil || k.fields.Locale != nil && locales.has(*k.fields.Locale))
	})
}

// getCover takes the id of a cover or of a title.
func getCover(c *call) ([]byte, error) {
	id := c.id("mangaOrCoverId")
	k, ok := c.covers.get(id)
	if m, isManga := c.manga.get(id); isManga && m.cover != nil {
		k, ok = m.cover, true
	}
	if !ok || !c.sees(k.manga) {
		return nil, notFound("Cover", id)
	}
	// This operation is one of those that still write an empty map as a list.
	return emptyLists(one(k, c.includes(), c.now)), nil
}

func (c *call) coverOf(parameter string) (*cover, error) {
	return lookup(c, &c.covers, "Cover", parameter, func(k *cover) bool { return c.sees(k.manga) })
}

func uploadCover(c *call) ([]byte, error) {
	m, err := c.mangaOf("mangaOrCoverId")
	if err != nil {
		return nil, err
	}
	_, files, values, err := c.parts()
	if err != nil {
		return nil, err
	}
	p, ok := files["file"]
	if !ok {
		return nil, invalid("/file", "it is required")
	}
	mimeType, err := p.picture()
	if err != nil {
		return nil, invalid("/file", err.Error())
	}
	if len([]rune(values["description"])) > maxDescription {
		return nil, invalid("/description", fmt.Sprintf("it must be at most %d characters", maxDescription))
	}
	k := &cover{head: newHead(kindCover, c.now), manga: m, uploader: c.user, picture: p.content}
	k.fileName = k.id.String() + extensions[mimeType]
	k.fields = coverFields{Description: some(values["description"]), Locale: some(m.fields.OriginalLanguage)}
	if volume, ok := values["volume"]; ok && volume != "" {
		k.fields.Volume = &volume
	}
	if locale, ok := values["locale"]; ok {
		k.fields.Locale = &locale
	}
	c.covers.add(k)
	if m.cover == nil {
		m.cover = k
	}
	return one(k, nil, c.now), nil
}

func updateCover(c *call) ([]byte, error) {
	k, err := newest(c, (*call).coverOf, "mangaOrCoverId")
	if err != nil {
		return nil, err
	}
	if err := c.checkNumbers("", chapterFields{Volume: fields[coverFields](c).Volume}); err != nil {
		return nil, err
	}
	c.decode(&k.fields)
	k.edit(c.now)
	c.covers.changed()
	return one(k, nil, c.now), nil
}

func deleteCover(c *call) ([]byte, error) {
	k, err := c.coverOf("mangaOrCoverId")
	if err != nil {
		return nil, err
	}
	if k.uploader != c.user && !c.user.may("cover.delete") {
		return nil, denied("The permission cover.delete is required.")
	}
	c.removeCover(k)
	return done, nil
}

func (st *store) removeCover(k *cover) {
	st.covers.remove(k.id)
	if k.manga.cover == k {
		k.manga.cover = nil
		if others := st.coversOf(k.manga.id); len(others) > 0 {
			k.manga.cover = others[0]
		}
	}
}

// coversOf are the covers of a title.
func (st *store) coversOf(manga uuid.UUID) []*cover {
	var list []*cover
	for _, k := range st.covers.all {
		if k.manga.id == manga {
			list = append(list, k)
		}
	}
	return list
}

// serveCover is the host of the covers: /covers/{manga}/{file}, with .256.jpg or .512.jpg after the
// file for a thumbnail.
func (s *Server) serveCover(x *exchange) answer {
	if status := x.strike("Cover", false); status != 0 {
		return plain(status, http.StatusText(status))
	}
	if x.request.Header.Get("Authorization") != "" {
		return x.misfit("This host takes no Authorization header")
	}
	parts := strings.Split(strings.TrimPrefix(x.path, "/"), "/")
	if len(parts) != 3 || parts[0] != "covers" {
		return page404()
	}
	name, width := parts[2], 0
	for _, size := range []int{256, 512} {
		if original, ok := strings.CutSuffix(name, "."+strconv.Itoa(size)+".jpg"); ok {
			name, width = original, size
		}
	}
	id, err := uuid.Parse(parts[1])
	if err != nil {
		return page404()
	}
	s.store.Lock()
	var found *cover
	for _, k := range s.store.coversOf(id) {
		if k.fileName == name {
			found = k
		}
	}
	var title, volume string
	var uploaded []byte
	if found != nil {
		title, volume, uploaded = found.manga.name(), orNone(found.fields.Volume), found.picture
	}
	s.store.Unlock()
	if found == nil {
		return page404()
	}
	if uploaded != nil {
		return uploadedCover(uploaded, width).answer("MISS")
	}
	return drawCover(found.id, name, width, title, volume).answer("MISS")
}

func drawCover(id uuid.UUID, name string, width int, title, volume string) file {
	full, height := width, 0
	if width == 0 {
		full = coverWidth
	}
	height = coverHeight * full / coverWidth
	seed := binary.LittleEndian.Uint64(id[:])
	c := newCanvas(full, height, seed)
	c.scene(seed, title, "volume "+volume)
	if width == 0 && strings.HasSuffix(name, ".png") {
		return file{name, "image/png", c.png()}
	}
	return file{name, "image/jpeg", jpegOf(c.rgba(), 80)}
}

func uploadedCover(content []byte, width int) file {
	picture, format, err := image.Decode(bytes.NewReader(content))
	if width == 0 || err != nil {
		return file{mime: "image/" + format, content: content}
	}
	return file{mime: "image/jpeg", content: jpegOf(shrink(picture, width), 80)}
}
