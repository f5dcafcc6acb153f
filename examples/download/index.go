package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/athome"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// indexName is the file in the folder of a title that says what is there.
const indexName = "mangadex.json"

// An index says what is in the folder of a title.
type index struct {
	Manga    uuid.UUID             `json:"manga"`
	Title    string                `json:"title"`
	Chapters map[uuid.UUID]*record `json:"chapters"`

	mu   sync.Mutex
	path string
}

// A record is a chapter in the folder.
type record struct {
	Name     string   `json:"name"` // of the archive or the folder
	Archive  bool     `json:"archive,omitempty"`
	Language string   `json:"language"`
	Version  int      `json:"version"`           // of the chapter, as the server counts
	Series   string   `json:"series,omitempty"`  // what the title was called when the archive was written
	Pages    []string `json:"pages"`             // names, which carry hashes; nil while they are not known
	Saver    bool     `json:"saver,omitempty"`   // they are the smaller ones
	Other    []int    `json:"other,omitempty"`   // pages that are there in the other quality
	Missing  []int    `json:"missing,omitempty"` // pages that are not there
	Beside   bool     `json:"beside,omitempty"`  // saved beside the chosen version
	Stamp    string   `json:"stamp,omitempty"`   // of the files when they were right; empty while they are not
}

// isRight reports whether all of the chapter was there when it was last looked at.
func (r *record) isRight() bool { return r.Stamp != "" && len(r.Missing) == 0 && len(r.Other) == 0 }

// pages are what the pages should be.
func (r *record) pages() []athome.Page { return athome.PagesOf(r.Pages, r.Saver) }

// readIndex reads the index of a folder. One that is damaged is like none: what is in the folder is known by
// its names, and checked.
func readIndex(dir string) (*index, error) {
	x := &index{path: filepath.Join(dir, indexName)}
	content, err := command.ReadFile(x.path)
	if err == nil && json.Unmarshal(content, x) != nil {
		x = &index{path: x.path}
		err = fmt.Errorf("%s is damaged; what is in the folder is checked anew", x.path)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if x.Chapters == nil {
		x.Chapters = map[uuid.UUID]*record{}
	}
	for id, r := range x.Chapters {
		if r == nil || r.Name != filepath.Base(r.Name) || r.Name == "." || r.Name == ".." {
			delete(x.Chapters, id) // somebody wrote it by hand
		}
	}
	return x, err
}

// record returns what is known of a chapter, nil if it is not there.
func (x *index) record(id uuid.UUID) *record {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.Chapters[id]
}

// change changes the index and writes it.
func (x *index) change(f func()) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	f()
	content, err := json.MarshalIndent(x, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.Write(x.path, 0o666, func(w io.Writer) error {
		_, err := w.Write(append(content, '\n'))
		return err
	})
}

// stampOf is a text that changes when a file or what is in a folder does: names, sizes and times. It is empty
// if there is nothing.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	if !info.IsDir() {
		return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return ""
	}
	hash := sha256.New()
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			fmt.Fprintf(hash, "%q %d %d\n", entry.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:12])
}
