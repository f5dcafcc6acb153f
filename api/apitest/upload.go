package apitest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Limits of uploads.
const (
	maxFilesPerRequest = 10
	maxFileSize        = 20 << 20
	maxSessionFiles    = 500
	maxSessionSize     = 150 << 20
	maxSide            = 10_000 // pixels of a picture
	maxDescription     = 512
)

// An uploadSession is an upload on its way.
type uploadSession struct {
	head
	owner   *user
	manga   *manga
	groups  []*group
	chapter *chapter // that is edited; nil for a new one
	files   []*uploadFile
}

func (s *uploadSession) attributes(time.Time) any {
	return struct {
		IsCommitted bool `json:"isCommitted"`
		IsProcessed bool `json:"isProcessed"`
		IsDeleted   bool `json:"isDeleted"`
		times
	}{times: s.times()}
}

func (s *uploadSession) relationships() []relationship {
	list := []relationship{{kind: kindUser, target: s.owner}, {kind: kindManga, target: s.manga}}
	if s.chapter != nil {
		list = append(list, relationship{kind: kindChapter, target: s.chapter})
	}
	for _, g := range s.groups {
		list = append(list, relationship{kind: kindGroup, target: g})
	}
	return append(list, refs("upload_session_file", s.files)...)
}

// An uploadFile is a picture in a session.
type uploadFile struct {
	head
	name   string
	mime   string
	data   []byte
	remote bool // it was in the chapter before
}

func (f *uploadFile) attributes(time.Time) any {
	source := "local"
	if f.remote {
		source = "remote"
	}
	return map[string]any{
		"originalFileName": f.name, "fileHash": hashOf(f.data), "fileSize": len(f.data), "mimeType": f.mime, "source": source, "version": f.version,
	}
}

func (f *uploadFile) relationships() []relationship { return nil }

func newUploadFile(name, mimeType string, data []byte, now time.Time) *uploadFile {
	return &uploadFile{head: newHead("upload_session_file", now), name: name, mime: mimeType, data: data}
}

// sessionOfUser is the open session of an account.
func (st *store) sessionOfUser(u *user) (*uploadSession, bool) {
	for _, s := range st.uploads.all {
		if s.owner == u {
			return s, true
		}
	}
	return nil, false
}

func (c *call) uploadOf(parameter string) (*uploadSession, error) {
	return lookup(c, &c.uploads, "Upload session", parameter, func(s *uploadSession) bool { return s.owner == c.user })
}

func getUploadSession(c *call) ([]byte, error) {
	s, ok := c.sessionOfUser(c.user)
	if !ok {
		return nil, &problem{status: http.StatusNotFound, title: "not_found_http_exception", detail: "No upload session found"}
	}
	return one(s, c.includes(), c.now), nil
}

// beginUpload adds a session, unless the account has one.
func (c *call) beginUpload(s *uploadSession) ([]byte, error) {
	if _, ok := c.sessionOfUser(c.user); ok {
		return nil, conflict("There is an open upload session already; commit or abandon it first.")
	}
	s.head, s.owner = newHead("upload_session", c.now), c.user
	c.uploads.add(s)
	return one(s, c.includes(), c.now), nil
}

func beginUpload(c *call) ([]byte, error) {
	body := fields[struct {
		Manga  uuid.UUID
		Groups []uuid.UUID
	}](c)
	m, ok := c.manga.get(body.Manga)
	if !ok || !c.sees(m) {
		return nil, notFound("Manga", body.Manga)
	}
	groups, err := find(&c.groups, "Scanlation group", body.Groups)
	if err != nil {
		return nil, err
	}
	return c.beginUpload(&uploadSession{manga: m, groups: groups})
}

func beginChapterEdit(c *call) ([]byte, error) {
	ch, err := c.chapterOf("chapterId")
	if err != nil {
		return nil, err
	}
	if !c.editsChapter(ch) { // of all operations this one says 401
		return nil, &problem{status: http.StatusUnauthorized, title: "unauthorized_http_exception", detail: "You may not edit this chapter."}
	}
	if ch.manga.state != "published" {
		return nil, invalid("/chapterId", "its title is not published")
	}
	if err := c.current(&ch.head); err != nil {
		return nil, err
	}
	script := ch.script()
	var r *roll
	c.unlocked(func() { r = c.server.gallery.pagesOf(script) })
	s := &uploadSession{manga: ch.manga, groups: ch.groups, chapter: ch}
	for _, f := range r.data {
		file := newUploadFile(f.name, f.mime, f.content, c.now)
		file.remote = true
		s.files = append(s.files, file)
	}
	return c.beginUpload(s)
}

func checkUploadApproval(c *call) ([]byte, error) {
	id := fields[struct{ Manga uuid.UUID }](c).Manga
	if m, ok := c.manga.get(id); !ok || !c.sees(m) {
		return nil, notFound("Manga", id)
	}
	return object(map[string]any{"requiresApproval": !c.user.may("chapter.upload.unmoderated")}), nil
}

func uploadPages(c *call) ([]byte, error) {
	s, err := c.uploadOf("uploadSessionId")
	if err != nil {
		return nil, err
	}
	names, files, _, err := c.parts()
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0:
		return nil, invalid("body", "there is no file")
	case len(names) > maxFilesPerRequest:
		return nil, invalid("body", fmt.Sprintf("there must be at most %d files in a request", maxFilesPerRequest))
	case len(s.files)+len(names) > maxSessionFiles:
		return nil, invalid("body", fmt.Sprintf("there must be at most %d files in a session", maxSessionFiles))
	}
	size := 0
	for _, f := range s.files {
		size += len(f.data)
	}
	// The answer may be half a success. Its errors do not say which file they are about.
	answer := struct {
		Result string           `json:"result"`
		Errors []map[string]any `json:"errors"`
		Data   []map[string]any `json:"data"`
	}{"ok", []map[string]any{}, []map[string]any{}}
	taken := len(names)
	if c.fault != nil {
		taken -= c.fault.RefusePages
	}
	for n, name := range names {
		p := files[name]
		mimeType, err := p.picture()
		if err == nil && n >= taken {
			err = errors.New("the file could not be stored")
		}
		if err == nil && size+len(p.content) > maxSessionSize {
			err = fmt.Errorf("the session is larger than %d MB", maxSessionSize>>20)
		}
		if err != nil {
			answer.Errors = append(answer.Errors, (&problem{status: http.StatusBadRequest, title: "file_exception", detail: err.Error()}).entry())
			continue
		}
		size += len(p.content)
		f := newUploadFile(p.fileName, mimeType, p.content, c.now)
		s.files = append(s.files, f)
		answer.Data = append(answer.Data, map[string]any{"id": f.id, "type": f.kind, "attributes": f.attributes(c.now)})
	}
	if len(answer.Data) == 0 {
		answer.Result = "error"
	}
	return encode(answer), nil
}

// drop takes files out of a session.
func (s *uploadSession) drop(ids []uuid.UUID) error {
	for _, id := range ids {
		if !slices.ContainsFunc(s.files, func(f *uploadFile) bool { return f.id == id }) {
			return notFound("Upload session file", id)
		}
	}
	s.files = slices.DeleteFunc(s.files, func(f *uploadFile) bool { return slices.Contains(ids, f.id) })
	return nil
}

func deleteUploadedPage(c *call) ([]byte, error) {
	s, err := c.uploadOf("uploadSessionId")
	if err != nil {
		return nil, err
	}
	return done, s.drop([]uuid.UUID{c.id("uploadSessionFileId")})
}

func deleteUploadedPages(c *call) ([]byte, error) {
	s, err := c.uploadOf("uploadSessionId")
	if err != nil {
		return nil, err
	}
	return done, s.drop(fields[[]uuid.UUID](c))
}

func abandonUpload(c *call) ([]byte, error) {
	s, err := c.uploadOf("uploadSessionId")
	if err != nil {
		return nil, err
	}
	c.uploads.remove(s.id)
	return done, nil
}

// A draft is what a commit says of the chapter.
type draft struct {
	chapterFields
	ExternalURL optional
	PublishAt   string
}

func commitUpload(c *call) ([]byte, error) {
	s, err := c.uploadOf("uploadSessionId")
	if err != nil {
		return nil, err
	}
	body := fields[struct {
		ChapterDraft  draft
		PageOrder     []uuid.UUID
		TermsAccepted bool
	}](c)
	if !body.TermsAccepted {
		return nil, invalid("/termsAccepted", "the terms must be accepted")
	}
	pages, err := s.inOrder(body.PageOrder)
	if err != nil {
		return nil, err
	}
	d := body.ChapterDraft
	if err := c.checkNumbers("/chapterDraft", d.chapterFields); err != nil {
		return nil, err
	}
	if d.ExternalURL != nil && !c.user.may("chapter.upload.external") {
		return nil, denied("The permission chapter.upload.external is required.")
	}
	if len(pages) == 0 && d.ExternalURL == nil {
		return nil, invalid("/pageOrder", "a chapter without an external URL must have a page")
	}
	publishAt := c.now
	if d.PublishAt != "" {
		if publishAt, err = time.Parse("2006-01-02T15:04:05", d.PublishAt); err != nil {
			return nil, invalid("/chapterDraft/publishAt", "it is not a time")
		}
	}
	ch := s.chapter
	if ch == nil {
		ch = &chapter{head: newHead(kindChapter, c.now), manga: s.manga, uploader: c.user, waiting: !c.user.may("chapter.upload.unmoderated")}
		ch.drawn = drawing{s.manga, orNone(d.Chapter)}
		s.manga.chapters = append(s.manga.chapters, ch)
		c.chapters.add(ch)
	} else {
		c.changedChapter(ch, c.now)
	}
	ch.groups, ch.fields, ch.external, ch.files, ch.savers, ch.redrawn = s.groups, d.chapterFields, d.ExternalURL, pages, nil, nil
	ch.publishAt, ch.readableAt = publishAt, publishAt
	if c.fault != nil && c.fault.Hold > 0 {
		until := c.now.Add(c.fault.Hold)
		ch.held = &until
	}
	ch.touch()
	c.changedChapters(s.manga)
	c.uploads.remove(s.id)
	return ch.committed(), nil
}

// inOrder are the pages of the chapter to be.
func (s *uploadSession) inOrder(ids []uuid.UUID) ([]file, error) {
	pages := []file{}
	seen := map[uuid.UUID]bool{}
	for n, id := range ids {
		at := slices.IndexFunc(s.files, func(f *uploadFile) bool { return f.id == id })
		if at < 0 || seen[id] {
			return nil, invalid(fmt.Sprintf("/pageOrder/%d", n), "the session has no such file, or the order has it twice")
		}
		seen[id] = true
		pages = append(pages, pageFile(n+1, s.files[at].mime, s.files[at].data))
	}
	return pages, nil
}

// committed is the answer to a commit: the chapter before its pages have been looked at and its times
// are known, with members that no other answer has.
func (ch *chapter) committed() []byte {
	attributes := struct {
		chapterFields
		Hash          string     `json:"hash"`
		Data          []string   `json:"data"`
		DataSaver     []string   `json:"dataSaver"`
		ExternalURL   optional   `json:"externalUrl"`
		IsUnavailable bool       `json:"isUnavailable"`
		PublishAt     *time.Time `json:"publishAt"`
		ReadableAt    *time.Time `json:"readableAt"`
		Pages         int        `json:"pages"`
		times
	}{chapterFields: ch.fields, Data: []string{}, DataSaver: []string{}, ExternalURL: ch.external, times: ch.times()}
	relationships := []map[string]any{}
	for _, r := range ch.relationships() {
		relationships = append(relationships, map[string]any{"id": r.target.base().id, "type": r.kind})
	}
	return object(map[string]any{"response": "entity", "data": map[string]any{
		"id": ch.id, "type": kindChapter, "attributes": attributes, "relationships": relationships,
	}})
}
