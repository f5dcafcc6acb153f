package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/google/uuid"

	"github.com/mangadex-go/mangadex/api/upload"
	"github.com/mangadex-go/mangadex/examples/internal/command"
	"github.com/mangadex-go/mangadex/internal/atomicfile"
)

// A diary is what is known of the uploads of earlier runs, the newest last, in a file that only its
// owner can read. There is no secret in it.
type diary struct {
	path    string // empty: nothing is kept
	Uploads []upload.Record
}

// longest is how many uploads a diary keeps that are known to be published.
const longest = 100

// openDiary reads the diary, which lies beside the login.
func openDiary(c *command.Command) (*diary, error) {
	if c.Fake() != nil { // which is gone when this program ends
		return &diary{}, nil
	}
	path, err := c.BesideLogin("upload.json")
	if err != nil {
		return nil, err
	}
	d := &diary{path: path}
	content, err := command.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(content, d); err != nil {
		return nil, fmt.Errorf("%s is damaged: it says which chapters were uploaded; look for the last ones on your profile, then remove it: %w", path, err)
	}
	return d, nil
}

// keep puts a record in the place of an older one of the same session. An account has one open
// session, so that one that was not committed is the only one.
func (d *diary) keep(r upload.Record) error {
	isOpen := func(r *upload.Record) bool { return !r.InDoubt() && r.Published == uuid.Nil }
	d.Uploads = slices.DeleteFunc(d.Uploads, func(old upload.Record) bool {
		return old.Session == r.Session || isOpen(&r) && isOpen(&old)
	})
	d.Uploads = append(d.Uploads, r)
	published := 0
	for i := len(d.Uploads) - 1; i >= 0; i-- {
		if d.Uploads[i].Published == uuid.Nil {
			continue
		}
		if published++; published > longest {
			d.Uploads = slices.Delete(d.Uploads, i, i+1)
		}
	}
	return d.write()
}

// forget drops the record of a session.
func (d *diary) forget(session uuid.UUID) error {
	d.Uploads = slices.DeleteFunc(d.Uploads, func(r upload.Record) bool { return r.Session == session })
	return d.write()
}

func (d *diary) write() error {
	if d.path == "" {
		return nil
	}
	content, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(d.path, 0o600, append(content, '\n'))
}

// of returns the record of a session.
func (d *diary) of(session uuid.UUID) (upload.Record, bool) {
	i := slices.IndexFunc(d.Uploads, func(r upload.Record) bool { return r.Session == session })
	if i < 0 {
		return upload.Record{}, false
	}
	return d.Uploads[i], true
}
