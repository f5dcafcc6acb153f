package apitest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

var groupKeys = map[string]func(a, b *group) int{
	"name": func(a, b *group) int {
		return cmp.Compare(strings.ToLower(a.fields.Name), strings.ToLower(b.fields.Name))
	},
	"createdAt":     byCreated[*group],
	"updatedAt":     byUpdated[*group],
	"followedCount": func(a, b *group) int { return cmp.Compare(a.follows, b.follows) },
}

func listGroups(c *call) ([]byte, error) {
	name, language := c.query.Get("name"), c.query.Get("focusedLanguage")
	return list(c, &c.groups, c.order(), groupKeys, func(g *group) bool {
		return contains(g.fields.Name, name) && (language == "" || slices.Contains(g.fields.FocusedLanguages, language))
	})
}

func (c *call) groupOf(parameter string) (*group, error) {
	return lookup(c, &c.groups, "Scanlation group", parameter, everyone[*group])
}

func createGroup(c *call) ([]byte, error) {
	g := &group{head: newHead(kindGroup, c.now), leader: c.user, members: []*user{c.user}}
	g.fields = groupFields{AltNames: []localized{}, FocusedLanguages: []string{}}
	c.decode(&g.fields)
	if slices.ContainsFunc(c.groups.all, func(other *group) bool { return strings.EqualFold(other.fields.Name, g.fields.Name) }) {
		return nil, conflict("There is a group of this name already.")
	}
	c.groups.add(g)
	return one(g, nil, c.now), nil
}

func updateGroup(c *call) ([]byte, error) {
	g, err := c.groupOf("id")
	if err != nil {
		return nil, err
	}
	if c.user != g.leader && !slices.Contains(g.members, c.user) && !c.user.may("scanlation_group.edit.any") {
		return nil, denied("Only members of the group may edit it.")
	}
	if err := c.current(&g.head); err != nil {
		return nil, err
	}
	body := fields[struct {
		Leader  *uuid.UUID
		Members *[]uuid.UUID
		Locked  *bool
	}](c)
	leader, members := g.leader, g.members
	if body.Leader != nil {
		found, err := find(&c.users, "User", []uuid.UUID{*body.Leader})
		if err != nil {
			return nil, err
		}
		leader = found[0]
	}
	if body.Members != nil {
		if members, err = find(&c.users, "User", *body.Members); err != nil {
			return nil, err
		}
	}
	g.leader, g.members = leader, members
	if body.Locked != nil {
		g.locked = *body.Locked
	}
	c.decode(&g.fields)
	g.edit(c.now)
	c.groups.changed()
	return one(g, nil, c.now), nil
}

func deleteGroup(c *call) ([]byte, error) {
	g, err := c.groupOf("id")
	if err != nil {
		return nil, err
	}
	c.removeGroup(g)
	return done, nil
}

func (st *store) removeGroup(g *group) {
	for _, ch := range st.chapters.all {
		ch.groups = slices.DeleteFunc(ch.groups, func(other *group) bool { return other == g })
	}
	st.groups.remove(g.id)
}
