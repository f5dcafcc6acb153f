package upload

import (
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api"
)

// A phase is how far a session has come.
type phase uint8

const (
	open       phase = iota
	committing       // a commit is under way, or no clear answer to it arrived
	over             // committed, abandoned, or ended elsewhere
)

// A ledger is what is known of a session on the server. It is never changed: what happens makes
// another one of it.
type ledger struct {
	phase   phase
	pages   []Page             // that are there and are to stay, in reading order
	wanted  map[string]Page    // that were sent, by their names; they have no ID
	removed map[uuid.UUID]bool // that were asked to be deleted; they may still be there
	unsure  bool               // an answer is missing: the files must be listed before anything is sent
}

// A difference is what a listing has other than the ledger.
type difference struct {
	surplus []uuid.UUID // files that are no pages, such as second copies
	lost    []string    // pages that were there, and are not
}

// index returns where the page of a name is, or -1.
func (l ledger) index(name string) int {
	return slices.IndexFunc(l.pages, func(p Page) bool { return p.Name == name })
}

// knows reports whether a file is one of the pages.
func (l ledger) knows(id uuid.UUID) bool {
	return slices.ContainsFunc(l.pages, func(p Page) bool { return p.ID == id })
}

// sending notes that pages are on their way.
func (l ledger) sending(batch []Page) ledger {
	l.wanted = maps.Clone(l.wanted)
	if l.wanted == nil {
		l.wanted = map[string]Page{}
	}
	for _, page := range batch {
		l.wanted[page.Name] = page
	}
	l.unsure = true
	return l
}

// taken notes a clear answer to pages. Those that it does not mention may have come in all the same.
func (l ledger) taken(batch []Page, files []api.UploadSessionFile) ledger {
	l.pages = slices.Clone(l.pages)
	for _, f := range files {
		page := Page{Name: f.Attributes.OriginalFileName, ID: f.ID}
		sent, ok := l.wanted[page.Name]
		if ok && f.ID != uuid.Nil && l.index(page.Name) < 0 {
			page.Size, page.SHA256 = sent.Size, sent.SHA256
			l.pages = append(l.pages, page)
		}
	}
	l.unsure = slices.ContainsFunc(batch, func(p Page) bool { return l.index(p.Name) < 0 })
	return l
}

// turnedDown notes that pages were surely not taken.
func (l ledger) turnedDown(batch []Page) ledger {
	l.wanted = maps.Clone(l.wanted)
	for _, page := range batch {
		delete(l.wanted, page.Name)
	}
	l.unsure = false
	return l
}

// removing notes that files are to go. A copy of a page that comes in late is not the page.
func (l ledger) removing(ids []uuid.UUID) ledger {
	l.wanted, l.removed = maps.Clone(l.wanted), maps.Clone(l.removed)
	if l.removed == nil {
		l.removed = map[uuid.UUID]bool{}
	}
	for _, page := range l.pages {
		if slices.Contains(ids, page.ID) {
			l.removed[page.ID] = true
			delete(l.wanted, page.Name)
		}
	}
	l.unsure = true
	return l
}

// without notes that files are gone.
func (l ledger) without(ids []uuid.UUID) ledger {
	l.pages = slices.DeleteFunc(slices.Clone(l.pages), func(p Page) bool { return slices.Contains(ids, p.ID) })
	l.unsure = false
	return l
}

// reconcile takes a listing of the files for what is. Pages that came in although no answer said so
// are added.
func (l ledger) reconcile(listing []file) (ledger, difference) {
	var d difference
	known := map[uuid.UUID]bool{}
	there := map[uuid.UUID]bool{}
	for _, f := range listing {
		there[f.ID] = true
	}
	var pages []Page
	for _, page := range l.pages {
		known[page.ID] = true
		switch {
		case there[page.ID]:
			pages = append(pages, page)
		case !l.removed[page.ID]:
			d.lost = append(d.lost, page.Name)
		}
	}
	l.pages = pages
	for _, f := range listing {
		if known[f.ID] {
			continue
		}
		page := pageOf(f)
		if sent, ok := l.wanted[page.Name]; ok && l.index(page.Name) < 0 && sent.same(page) {
			page.Size, page.SHA256 = sent.Size, sent.SHA256
			l.pages = append(l.pages, page)
		} else {
			d.surplus = append(d.surplus, f.ID)
		}
	}
	l.unsure = false
	return l, d
}

// reordered puts the pages into the order of names, which must name every page once.
func (l ledger) reordered(names []string) (ledger, error) {
	ordered := make([]Page, 0, len(l.pages))
	rest := slices.Clone(l.pages)
	for _, name := range names {
		i := slices.IndexFunc(rest, func(p Page) bool { return p.Name == name })
		switch {
		case i >= 0:
			ordered = append(ordered, rest[i])
			rest = slices.Delete(rest, i, i+1)
		case l.index(name) >= 0:
			return l, pageErrorf(name, "the order names it twice; name every page once")
		default:
			return l, pageErrorf(name, "the session has no page of that name; see Pages for their names")
		}
	}
	if len(rest) > 0 {
		return l, pageErrorf(rest[0].Name, "the order leaves it out; name every page once, or Remove it")
	}
	l.pages = ordered
	return l, nil
}

// behind puts pages, as far as they are there, in the order of names behind the others.
func (l ledger) behind(names []string) ledger {
	l.pages = slices.Clone(l.pages)
	for _, name := range names {
		if i := l.index(name); i >= 0 {
			page := l.pages[i]
			l.pages = append(slices.Delete(l.pages, i, i+1), page)
		}
	}
	return l
}

// in returns the ledger in another phase.
func (l ledger) in(p phase) ledger {
	l.phase = p
	return l
}

// lostPages is the error of pages that are gone, nil if there are none.
func (d difference) lostPages() error {
	if len(d.lost) == 0 {
		return nil
	}
	return &PageError{d.lost, errPageLost}
}

// errPageLost says that a page is gone that the server had.
var errPageLost = errors.New("the server has lost it; add it again")
