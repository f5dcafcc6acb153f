//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A cluster is a PostgreSQL of the tests, which they share. It ends with them.
type cluster struct {
	once sync.Once
	why  string // there is none
	dir  string
	addr string
	cmd  *exec.Cmd
}

var shared cluster

// postgresOf returns the address of a new database.
func postgresOf(t *testing.T) string {
	t.Helper()
	shared.once.Do(func() {
		if err := shared.start(); err != nil {
			shared.why = err.Error()
		}
	})
	if shared.why != "" {
		t.Skip("no PostgreSQL can be started here: " + shared.why)
	}
	name := "m" + strings.ReplaceAll(uuid.NewString(), "-", "")
	admin, err := sql.Open("pgx", shared.address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return shared.address(name)
}

func (c *cluster) address(database string) string {
	return fmt.Sprintf("postgres://mirror:secret-of-mirror@%s/%s", c.addr, database)
}

func (c *cluster) start() error {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return err
	}
	// It does not run as root, so that its folder must be within reach of somebody else.
	parents := []string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm"}
	for _, parent := range parents {
		if c.dir, err = os.MkdirTemp(parent, "mirror"); err != nil {
			continue
		}
		if err = os.Chmod(c.dir, 0o711); err == nil { //nolint:gosec // the folder in it is closed
			if err = c.startIn(initdb); err == nil {
				return nil
			}
		}
		c.stop()
	}
	return err
}

func (c *cluster) startIn(initdb string) error {
	data := filepath.Join(c.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := os.Chown(data, nobody, nobody); err != nil {
			return err
		}
	}
	password := filepath.Join(data, "..", "password")
	if err := os.WriteFile(password, []byte("secret-of-mirror\n"), 0o644); err != nil { //nolint:gosec // of a test
		return err
	}
	if err := os.Chmod(password, 0o644); err != nil { //nolint:gosec // whatever the umask takes away
		return err
	}
	out, err := c.command(initdb, "-D", data, "-U", "mirror", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	c.addr = "127.0.0.1:" + port
	server := filepath.Join(filepath.Dir(initdb), "postgres")
	if target, err := filepath.EvalSymlinks(initdb); err == nil {
		server = filepath.Join(filepath.Dir(target), "postgres")
	}
	c.cmd = c.command(server, "-D", data, "-h", "127.0.0.1", "-p", port, "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200")
	if err := c.cmd.Start(); err != nil {
		return err
	}
	db, err := sql.Open("pgx", c.address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for range 300 {
		if err = db.PingContext(context.Background()); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

const nobody = 65534

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "LC_ALL=C")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

func (c *cluster) stop() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Signal(os.Interrupt)
		_ = c.cmd.Wait()
		c.cmd = nil
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}

func stopPostgres() { shared.stop() }
