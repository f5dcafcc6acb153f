package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the sheet
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"time"
)

//go:embed base.css
var base []byte

// Assets are the files that the pages of a program refer to, by name. Style sheets have what all
// programs share in front.
type Assets map[string][]byte

// ReadAssets reads the files of a folder.
func ReadAssets(files fs.FS, folder string) (Assets, error) {
	all, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, err
	}
	assets := Assets{}
	for _, file := range all {
		content, err := fs.ReadFile(files, folder+"/"+file.Name())
		if err != nil {
			return nil, err
		}
		if path.Ext(file.Name()) == ".css" {
			content = slices.Concat(base, content)
		}
		assets[file.Name()] = content
	}
	return assets, nil
}

// Path is the address of a file, another one when its content is.
func (a Assets) Path(name string) string { return "/static/" + name + "?v=" + Tag(a[name]) }

// Send sends a file, if there is one of the name.
func (a Assets) Send(w http.ResponseWriter, r *http.Request, name string) bool {
	content, ok := a[name]
	if !ok {
		return false
	}
	if tag := Tag(content); r.FormValue("v") == tag {
		Keep(w, tag)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return true
}

// Tag is a tag that is another one when the content is.
func Tag(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}
