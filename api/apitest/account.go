package apitest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// An Account can log in.
type Account struct {
	ID          uuid.UUID
	Username    string
	Email       string
	Password    string
	Roles       []string // such as ROLE_MEMBER, which is the default
	Permissions []string // such as author.delete, on top of those of the roles
	Disabled    bool     // it cannot log in any more

	// The credentials of a personal client of the account, which is approved. They are made up
	// where they are empty.
	ClientID     string
	ClientSecret string
}

// A user is somebody with an account, or a name in the catalogue.
type user struct {
	head
	username    string
	email       string
	password    string // empty for somebody who cannot log in
	roles       []string
	permissions []string
	disabled    bool

	library    Library
	rated      map[uuid.UUID]time.Time
	history    []historyEntry
	settings   json.RawMessage
	settingsAt string
	deletion   uuid.UUID // code that deletes the account
}

func (u *user) attributes(time.Time) any {
	return map[string]any{"username": u.username, "roles": u.roles, "version": u.version, "avatarFileName": nil, "bannerFileName": nil}
}

func (u *user) relationships() []relationship { return nil }

// viewPermissions are those of everybody. For a member without further roles, the check of a token
// lists nothing else.
var viewPermissions = []string{
	"author.list", "author.view", "chapter.list", "chapter.view", "cover.list", "cover.view", "manga.list", "manga.view",
	"scanlation_group.list", "scanlation_group.view", "user.list",
}

// memberPermissions are those of ROLE_MEMBER, which nothing lists.
var memberPermissions = []string{
	"api_client.create", "author.create", "author.edit", "chapter.upload", "cover.create", "cover.edit", "custom_list.create",
	"forum_thread.create", "manga.create", "manga.edit", "manga_relation.create", "manga_relation.delete", "report.create",
	"scanlation_group.create", "settings.edit",
}

// staffRoles may do everything.
var staffRoles = []string{"ROLE_ADMIN", "ROLE_DEVELOPER", "ROLE_GLOBAL_MODERATOR", "ROLE_STAFF"}

// staffPermissions are those of the staff on top.
var staffPermissions = []string{
	"author.delete", "chapter.edit.any", "chapter.upload.external", "chapter.upload.unmoderated", "cover.delete", "custom_list.view.any", "manga.delete", "manga.edit.any",
	"report.list.any", "scanlation_group.delete", "scanlation_group.edit.any", "settings_template.create", "user.delete",
}

// limited tells whether an account may only look.
func (u *user) limited() bool { return u.has("ROLE_BANNED", "ROLE_UNVERIFIED") }

// listedPermissions are those that the check of a token tells, sorted.
func (u *user) listedPermissions() []string {
	list := slices.Concat(viewPermissions, u.permissions)
	if !u.limited() {
		if u.has("ROLE_POWER_UPLOADER", "ROLE_GROUP_LEADER", "ROLE_GROUP_MEMBER") {
			list = append(list, "chapter.upload.unmoderated")
		}
		if u.has("ROLE_POWER_UPLOADER") {
			list = append(list, "chapter.upload.external")
		}
		if u.has(staffRoles...) {
			list = slices.Concat(list, memberPermissions, staffPermissions)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (u *user) has(roles ...string) bool {
	return slices.ContainsFunc(u.roles, func(role string) bool { return slices.Contains(roles, role) })
}

// may tells whether an account has a permission. A guest has none that is worth asking for.
func (u *user) may(permission string) bool {
	return u != nil && (slices.Contains(u.listedPermissions(), permission) || !u.limited() && u.has("ROLE_MEMBER") && slices.Contains(memberPermissions, permission))
}

// operationPermissions are what operations ask for. Some ask for more, depending on what they are
// about.
var operationPermissions = map[string]string{
	"BeginUpload":            "chapter.upload",
	"BeginChapterEdit":       "chapter.upload",
	"CreateAPIClient":        "api_client.create",
	"CreateAuthor":           "author.create",
	"UpdateAuthor":           "author.edit",
	"DeleteAuthor":           "author.delete",
	"CreateCustomList":       "custom_list.create",
	"CreateForumThread":      "forum_thread.create",
	"CreateGroup":            "scanlation_group.create",
	"DeleteGroup":            "scanlation_group.delete",
	"CreateManga":            "manga.create",
	"UpdateManga":            "manga.edit",
	"CreateMangaRelation":    "manga_relation.create",
	"DeleteMangaRelation":    "manga_relation.delete",
	"CreateReport":           "report.create",
	"CreateSettingsTemplate": "settings_template.create",
	"UpdateSettings":         "settings.edit",
	"UploadCover":            "cover.create",
	"UpdateCover":            "cover.edit",
}

// allowed checks the permission for the operation.
func (c *call) allowed() error {
	if permission, ok := operationPermissions[c.op.ID]; ok && !c.user.may(permission) {
		return denied("The permission " + permission + " is required.")
	}
	return nil
}

// addAccount makes an account, with what is missing made up.
func (st *store) addAccount(a Account) Account {
	now := st.clock().UTC()
	if a.ID == uuid.Nil {
		a.ID = named(namespace, "account "+a.Username)
	}
	if a.Email == "" {
		a.Email = a.Username + "@mail.example"
	}
	if a.Password == "" {
		a.Password = "password-of-" + a.Username
	}
	if a.Roles == nil {
		a.Roles = []string{"ROLE_MEMBER"}
	}
	if a.ClientID == "" {
		a.ClientID = "personal-client-" + named(namespace, "client of "+a.Username).String() + "-" + "f1e2d3c4"
	}
	if a.ClientSecret == "" {
		a.ClientSecret = "secret-of-" + a.Username
	}
	u := &user{
		head:     head{id: a.ID, kind: kindUser, version: 1, created: now, updated: now},
		username: a.Username, email: a.Email, password: a.Password, roles: slices.Clone(a.Roles), permissions: slices.Clone(a.Permissions), disabled: a.Disabled,
	}
	st.users.add(u)
	client := &apiClient{
		head: newHead("api_client", now), owner: u, secret: a.ClientSecret, state: "approved", active: true, clientID: a.ClientID,
		fields: apiClientFields{Name: "client of " + a.Username, Profile: "personal"},
	}
	st.clients.add(client)
	return a
}

// login finds the account that a name and a password belong to.
func (st *store) login(name, password string) (*user, bool) {
	for _, u := range st.users.all {
		if u.password != "" && (strings.EqualFold(u.username, name) || strings.EqualFold(u.email, name)) {
			return u, u.password == password
		}
	}
	return nil, false
}

var userKeys = map[string]func(a, b *user) int{
	"username": func(a, b *user) int { return cmp.Compare(strings.ToLower(a.username), strings.ToLower(b.username)) },
}

func listUsers(c *call) ([]byte, error) {
	name := c.query.Get("username")
	return list(c, &c.users, c.order(), userKeys, func(u *user) bool { return contains(u.username, name) })
}

func (c *call) userOf(parameter string) (*user, error) {
	return lookup(c, &c.users, "User", parameter, everyone[*user])
}

// deleteUser sends a code by mail; State().DeletionCode has it, too.
func deleteUser(c *call) ([]byte, error) {
	u, err := c.userOf("id")
	if err != nil {
		return nil, err
	}
	if u != c.user && !c.user.may("user.delete") {
		return nil, denied("The permission user.delete is required.")
	}
	u.deletion = uuid.New()
	return done, nil
}

func confirmUserDeletion(c *call) ([]byte, error) {
	for _, u := range c.users.all {
		if u.deletion != uuid.Nil && u.deletion == c.id("code") {
			u.disabled, u.password, u.deletion = true, "", uuid.Nil
			return done, nil
		}
	}
	return nil, notFound("Code", c.id("code"))
}

func getCurrentUser(c *call) ([]byte, error) { return one(c.user, nil, c.now), nil }
