package command_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/examples/internal/command"
)

// TestWriteToElsewhere leaves alone what is no file.
func TestWriteToElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(path string) error {
		return new(command.Command).WriteTo(path, func(w io.Writer) error { _, err := io.WriteString(w, "text"); return err })
	}
	if err := write(dir); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Errorf("a folder: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := exec.Command("mkfifo", pipe).Run(); err != nil {
		t.Skip("there are no pipes with a name here")
	}
	read := make(chan string, 1)
	go func() {
		content, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		read <- string(content)
	}()
	if err := write(pipe); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Fatalf("the pipe is now %v, %v", info, err)
	}
	if content := <-read; content != "text" {
		t.Errorf("from the pipe comes %q", content)
	}
}
