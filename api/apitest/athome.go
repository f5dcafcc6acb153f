package apitest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// baseURLLife is how long the base URL of an answer of at-home holds.
const baseURLLife = 15 * time.Minute

// nodes is the number of at-home nodes.
const nodes = 2

// A roll holds the pages of a chapter.
type roll struct {
	once  sync.Once
	data  []file
	saver []file

	mu   sync.Mutex
	sent map[string]bool // names of files that a node has sent before
}

// A gallery keeps the pages that were drawn last.
type gallery struct {
	sync.Mutex
	rolls map[rollKey]*roll
	keys  []rollKey
}

type rollKey struct {
	chapter uuid.UUID
	version int
}

const maxRolls = 128

func (g *gallery) roll(key rollKey) *roll {
	g.Lock()
	defer g.Unlock()
	if r, ok := g.rolls[key]; ok {
		return r
	}
	if g.rolls == nil {
		g.rolls = map[rollKey]*roll{}
	}
	if len(g.keys) == maxRolls {
		delete(g.rolls, g.keys[0])
		g.keys = g.keys[1:]
	}
	r := &roll{sent: map[string]bool{}}
	g.rolls[key] = r
	g.keys = append(g.keys, key)
	return r
}

// A script is what has to be known of a chapter to draw it.
type script struct {
	key      rollKey
	title    string
	number   string
	pages    int
	uploaded []file
	savers   []file
	redrawn  map[int]int
}

// script describes a chapter. The lock of the store is held.
func (c *chapter) script() script {
	return script{rollKey{c.id, c.version}, c.drawn.manga.drawn, c.drawn.number, c.pages, c.files, c.savers, c.redrawn}
}

// pagesOf draws a chapter, or finds it among those drawn before. No lock is held.
func (g *gallery) pagesOf(s script) *roll {
	r := g.roll(s.key)
	r.once.Do(func() {
		for n, f := range s.uploaded {
			if s.savers != nil && s.redrawn[n+1] == 0 {
				r.data = append(r.data, f)
				if s.savers[n].content != nil {
					r.saver = append(r.saver, s.savers[n])
				}
				continue
			}
			picture, _, err := image.Decode(bytes.NewReader(f.content))
			if err != nil || s.redrawn[n+1] > 0 { // it was checked when it was uploaded
				r.draw(s, n+1, len(s.uploaded))
				continue
			}
			r.data = append(r.data, pageFile(n+1, f.mime, f.content))
			r.saver = append(r.saver, pageFile(n+1, "image/jpeg", jpegOf(shrink(picture, picture.Bounds().Dx()/2), 50)))
		}
		if s.uploaded == nil {
			for n := 1; n <= s.pages; n++ {
				r.draw(s, n, s.pages)
			}
		}
	})
	return r
}

// draw adds a page of so many. A page that has been replaced is another picture.
func (r *roll) draw(s script, n, of int) {
	seed := binary.LittleEndian.Uint64(s.key.chapter[:]) + uint64(n) + uint64(s.redrawn[n])<<32
	lines := []string{s.title, "chapter " + s.number, fmt.Sprintf("page %d of %d", n, of)}
	r.data = append(r.data, drawPage(seed, n, lines...))
	r.saver = append(r.saver, drawSaver(seed, n, lines...))
}

func names(files []file) []string {
	list := make([]string, len(files))
	for n, f := range files {
		list[n] = f.name
	}
	return list
}

// hash is what stands for a chapter in the address of its pages, and the way back.
func hash(chapter uuid.UUID) string {
	masked := mask(chapter)
	return hex.EncodeToString(masked[:])
}

func mask(id uuid.UUID) uuid.UUID {
	for n := range id {
		id[n] ^= namespace[n]
	}
	return id
}

func getAtHomeServer(c *call) ([]byte, error) {
	ch, err := c.chapterOf("chapterId")
	if err != nil {
		return nil, err
	}
	if ch.unavailable {
		return nil, notFound("Chapter", ch.id)
	}
	answer := struct {
		Result  string `json:"result"`
		BaseURL string `json:"baseUrl"`
		Chapter struct {
			Hash      string   `json:"hash"`
			Data      []string `json:"data"`
			DataSaver []string `json:"dataSaver"`
		} `json:"chapter"`
	}{Result: "ok", BaseURL: c.server.baseURL(c.request, c.now)}
	answer.Chapter.Data, answer.Chapter.DataSaver = []string{}, []string{}
	if ch.pageCount() > 0 {
		s := ch.script()
		var r *roll
		c.unlocked(func() { r = c.server.gallery.pagesOf(s) })
		answer.Chapter.Hash = hash(s.key.chapter)
		answer.Chapter.Data, answer.Chapter.DataSaver = names(r.data), names(r.saver)
	}
	return encode(answer), nil
}

// unlocked does something slow, for which the lock is not needed.
func (c *call) unlocked(slow func()) {
	c.Unlock()
	defer c.Lock()
	slow()
}

// baseURL is the address of a node for a while. It tells nobody but this server when it ends.
func (s *Server) baseURL(r *http.Request, now time.Time) string {
	expiry := now.Add(baseURLLife).Unix()
	node := s.nodeURLs[s.nextNode.Add(1)%uint32(len(s.nodeURLs))]
	return s.at(node, r) + "/" + s.pass(expiry)
}

// pass is a text that says until when it lets through.
func (s *Server) pass(expiry int64) string {
	text := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, uint64(expiry)), s.generation.Load())
	mac := hmac.New(sha256.New, s.secret)
	mac.Write(text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(text)[:24])
}

// passes tells whether a pass is ours and still holds.
func (s *Server) passes(pass string, now time.Time) bool {
	text, err := base64.RawURLEncoding.DecodeString(pass)
	if err != nil || len(text) != 24 {
		return false
	}
	expiry := int64(binary.BigEndian.Uint64(text))
	return pass == s.pass(expiry) && now.Unix() < expiry
}

// servePage is what a node does: /{pass}/{data or data-saver}/{hash}/{file}.
func (s *Server) servePage(x *exchange) answer {
	if status := x.strike("Page", false); status != 0 {
		return plain(status, http.StatusText(status))
	}
	if x.request.Header.Get("Authorization") != "" {
		x.complain("a token was sent to an at-home node, which belongs to a stranger")
	}
	parts := strings.Split(strings.TrimPrefix(x.request.URL.EscapedPath()[len(x.host.prefix):], "/"), "/")
	if len(parts) != 4 {
		return page404()
	}
	name, err := url.PathUnescape(parts[3])
	if err != nil {
		return page404()
	}
	if !s.passes(parts[0], x.now) {
		return plain(http.StatusForbidden, "Forbidden")
	}
	masked, err := uuid.Parse(parts[2])
	if err != nil {
		return page404()
	}
	s.store.Lock()
	ch, ok := s.store.chapters.get(mask(masked))
	var sc script
	if ok {
		sc = ch.script()
	}
	s.store.Unlock()
	if !ok {
		return page404()
	}
	roll := s.gallery.pagesOf(sc)
	files := map[string][]file{"data": roll.data, "data-saver": roll.saver}[parts[1]]
	for _, f := range files {
		if f.name == name {
			cache := "MISS"
			roll.mu.Lock()
			if roll.sent[f.name] {
				cache = "HIT"
			}
			roll.sent[f.name] = true
			roll.mu.Unlock()
			return f.answer(cache)
		}
	}
	return page404()
}

func (f file) answer(cache string) answer {
	return answer{status: http.StatusOK, contentType: f.mime, body: f.content, header: http.Header{
		"X-Cache": {cache}, "Cache-Control": {"public, max-age=1209600"}, "Timing-Allow-Origin": {"https://mangadex.org"},
	}}
}

// A Delivery is what a client has reported of a page of an at-home node.
type Delivery struct {
	URL      string `json:"url"`
	Success  bool   `json:"success"`
	Cached   bool   `json:"cached"`
	Bytes    int    `json:"bytes"`
	Duration int    `json:"duration"` // milliseconds
}

// serveReport takes the reports of clients.
func (s *Server) serveReport(x *exchange) answer {
	r := x.request
	if status := x.strike("Report", false); status != 0 {
		return plain(status, http.StatusText(status))
	}
	if r.Method != http.MethodPost || x.path != "/report" {
		return page404()
	}
	if r.Header.Get("Authorization") != "" {
		return x.misfit("A report takes no token")
	}
	if r.Header.Get("Content-Type") != contentJSON {
		return x.misfit("The Content-Type of a report must be application/json and nothing more")
	}
	var fields map[string]json.RawMessage
	var d Delivery
	if json.Unmarshal(x.body, &fields) != nil || json.Unmarshal(x.body, &d) != nil {
		return x.misfit("A report must be a JSON object with url, success, cached, bytes and duration")
	}
	for _, name := range []string{"url", "success", "cached", "bytes", "duration"} {
		if _, ok := fields[name]; !ok {
			return x.misfit("The report lacks " + name)
		}
	}
	s.store.Lock()
	s.store.deliveries = append(s.store.deliveries, d)
	s.store.Unlock()
	return answer{status: http.StatusOK, contentType: contentJSON, body: []byte("{}")}
}
