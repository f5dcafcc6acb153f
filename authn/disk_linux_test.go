package authn_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mangadex-go/mangadex/authn"
)

// runStore runs a process that uses a store to its end.
func runStore(t *testing.T, path, what string, prepare func(*exec.Cmd)) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), processEnv+"=store", pathEnv+"="+path, apiEnv+"="+what)
	prepare(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func mustHaveToken(t *testing.T, path, name string) {
	t.Helper()
	if got, err := authn.NewFileStore(path).Load(t.Context()); err != nil || got != testToken(name) {
		t.Errorf("got %v, %v", got, err)
	}
}

// A file that is mounted by itself, as containers do, cannot be replaced: it is written in place. Some
// mount an empty one to begin with.
func TestFileThatIsMounted(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("nothing can be mounted here: %v: %s", err, out)
	}
	for name, content := range map[string]string{"empty": "", "a token": string(authn.EncodeToken(testToken("old")))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := filepath.Join(t.TempDir(), "outside")
			inside := filepath.Join(t.TempDir(), "token")
			for path, text := range map[string]string{outside: content, inside: ""} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			runStore(t, inside, "delete", func(cmd *exec.Cmd) {
				cmd.Args = []string{"unshare", "-rm", "sh", "-c", `mount --bind "$1" "$2" && exec "$0"`, cmd.Path, outside, inside}
				cmd.Path, _ = exec.LookPath("unshare")
			})
			mustHaveToken(t, outside, "b")
			if entries, _ := filepath.Glob(filepath.Join(filepath.Dir(inside), "*")); len(entries) != 2 { // with the lock
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

// nobody is a user without rights.
const nobody = 65534

// needsRoot skips a test that has to make files of other users, and gives it a folder that they reach.
func needsRoot(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give files away; run it as root")
	}
	for _, parent := range []string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm"} {
		dir, err := os.MkdirTemp(parent, "authn")
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
		probe := exec.Command("/bin/sh", "-c", ":")
		probe.Dir = dir
		asNobody(probe)
		if probe.Run() == nil {
			return dir
		}
	}
	t.Skip("no folder for temporary files can be reached by another user; set TMPDIR to one that can")
	return ""
}

func asNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// selfFor makes the test binary one that everybody can run.
func selfFor(t *testing.T, dir string) func(*exec.Cmd) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "self")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil { //nolint:gosec // whatever the umask takes away
		t.Fatal(err)
	}
	return func(cmd *exec.Cmd) {
		cmd.Path, cmd.Dir = path, dir
		asNobody(cmd)
	}
}

// The token file of a user that root has renewed once is still the user's, and so is the lock.
func TestFileThatRootHasRenewed(t *testing.T) {
	t.Parallel()
	dir := needsRoot(t)
	home := filepath.Join(dir, "home")
	path := filepath.Join(home, "token")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	user := selfFor(t, dir)
	store := authn.NewFileStore(path)
	unlock, err := store.Lock(t.Context()) // root comes first: it makes the lock
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	runStore(t, path, "", user)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), testToken("of root")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != nobody || stat.Gid != nobody || info.Mode().Perm() != 0o640 {
		t.Errorf("the file belongs to %d:%d with mode %v", stat.Uid, stat.Gid, info.Mode())
	}
	runStore(t, path, "", user)
}

// A file that its user may write, in a folder where he may not make others, is written in place, and
// is its own lock.
func TestFileInAFolderOfOthers(t *testing.T) {
	t.Parallel()
	dir := needsRoot(t)
	path := filepath.Join(dir, "token")
	if err := os.WriteFile(path, authn.EncodeToken(testToken("old")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	runStore(t, path, "delete", selfFor(t, dir))
	mustHaveToken(t, path, "b")
}

// Real file systems that keep no modes: every file is one that all may read and write, and chmod does
// nothing, or fails. A login is kept there, and later runs take it.
func TestFileSystemWithoutModes(t *testing.T) {
	t.Parallel()
	if os.Getenv("MOUNTS") == "" {
		t.Skip("it mounts file systems; run .ci/nightly mounts as root")
	}
	image := func(make, mount string) string {
		return `truncate -s 16M "$1/image" && ` + make + ` "$1/image" >/dev/null 2>&1 && ` + mount
	}
	for name, how := range map[string]string{
		"bindfs":                image("true", `mkdir "$1/source" && bindfs --chmod-ignore --perms=0777 "$1/source" "$2"`),
		"bindfs without chmod":  image("true", `mkdir "$1/source" && bindfs --chmod-deny --chown-deny --perms=0777 "$1/source" "$2"`),
		"NTFS":                  image("mkntfs -F -Q", `ntfs-3g "$1/image" "$2"`),
		"NTFS of somebody else": image("mkntfs -F -Q", `ntfs-3g -o uid=65534,gid=65534 "$1/image" "$2"`),
		"exFAT":                 image("mkfs.exfat", `loop=$(losetup -f --show "$1/image") && mount.exfat-fuse -o umask=0 "$loop" "$2" && losetup -d "$loop"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mounted := t.TempDir()
			if out, err := exec.Command("sh", "-c", how, "sh", t.TempDir(), mounted).CombinedOutput(); err != nil {
				t.Skipf("it cannot be mounted here, which takes bindfs, ntfs-3g and exfat-fuse: %v: %s", err, out)
			}
			t.Cleanup(func() {
				if out, err := exec.Command("umount", mounted).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
			path := filepath.Join(mounted, "folder", "token")
			runStore(t, path, "delete", func(*exec.Cmd) {})
			mustHaveToken(t, path, "b")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm()&0o077 == 0 {
				t.Errorf("the mode is %v, so that this shows nothing", info.Mode())
			}
			secrets := filepath.Join(mounted, "secrets")
			if err := os.WriteFile(secrets, []byte(`{"username":"reader","password":"only-a-test"}`), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := authn.New(authn.FromFile(secrets)); err != nil {
				t.Errorf("secrets on it: %v", err)
			}
		})
	}
}
