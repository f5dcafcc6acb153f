package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// surface makes of what oapi-codegen writes what package api needs of it: the types, and a function
// for each request.
//
// A user calls the typed methods, so the client that oapi-codegen writes goes, and the functions
// that build requests are not exported. What the requests hold stays as it is, but for what the
// server reads in another way than the document can say:
//
//   - an empty list is absent, as oapi-codegen would send one empty value
//   - an order keeps the sequence of its keys, so it is a list instead of a struct; see [sortOrders]
//   - a value that would be no part of the path, or lead out of it, is refused
//   - an empty content type, which is that of no body, is absent
//
// It changes the source in places that the syntax tree shows, so that the rest stays as it was
// written.
func surface(types, client []byte, directions []string) (newTypes, newClient []byte, err error) {
	t, err := parseSource("types", types)
	if err != nil {
		return nil, nil, err
	}
	c, err := parseSource("client", client)
	if err != nil {
		return nil, nil, err
	}
	orders := t.sortOrders(directions)
	aliases := t.aliases()
	c.onlyRequests()
	c.lowerCase()
	for _, s := range []*goSource{t, c} {
		s.replaceTypes(aliases)
	}
	c.styles()
	c.conditions(orders)
	c.contentTypes()
	if newTypes, err = t.result(); err != nil {
		return nil, nil, err
	}
	newClient, err = c.result()
	return newTypes, newClient, err
}

// aliases drops the second names of types, and returns what they stand for: a name for a text, a map
// or the body of one operation says nothing that the place where it stands does not.
func (s *goSource) aliases() map[string]string {
	aliases := map[string]string{}
	for _, decl := range s.file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE || len(d.Specs) != 1 {
			continue
		}
		spec := d.Specs[0].(*ast.TypeSpec)
		if spec.Assign.IsValid() {
			aliases[spec.Name.Name] = s.text(spec.Type)
			s.drop(d, d.Doc)
		}
	}
	for name, target := range aliases {
		for range aliases { // one may stand for another
			target = word.ReplaceAllStringFunc(target, func(w string) string { return cmp.Or(aliases[w], w) })
		}
		aliases[name] = target
	}
	return aliases
}

var word = regexp.MustCompile(`\b[A-Za-z_]\w*\b`)

// replaceTypes writes what a name stands for, and calls the id type by the name under which people
// know it.
func (s *goSource) replaceTypes(aliases map[string]string) {
	ids := func(text string) string { return strings.ReplaceAll(text, "openapi_types.UUID", "uuid.UUID") }
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field: // a parameter or field; its name stays
			ast.Inspect(n.Type, visit)
			return false
		case *ast.SelectorExpr:
			switch text := s.text(n); text {
			case "openapi_types.UUID":
				s.replace(n, ids(text))
			case "nullable.Nullable":
				s.replace(n, "Nullable")
			}
			return false
		case *ast.Ident:
			if target, ok := aliases[n.Name]; ok {
				s.replace(n, ids(target))
			}
		}
		return true
	}
	ast.Inspect(s.file, visit)
}

// onlyRequests drops all but the functions that build a request.
func (s *goSource) onlyRequests() {
	for _, decl := range s.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if !s.isBuilder(d) {
				s.drop(d, d.Doc)
			}
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				s.drop(d, d.Doc)
			}
		}
	}
}

var builderName = regexp.MustCompile(`\bNew(\w+Request(?:With\w*Body)?)\b`)

func (s *goSource) isBuilder(d *ast.FuncDecl) bool {
	return d.Recv == nil && d.Type.Results != nil && len(d.Type.Results.List) == 2 &&
		s.text(d.Type.Results.List[0].Type) == "*http.Request" && builderName.MatchString(d.Name.Name)
}

// lowerCase hides the functions.
func (s *goSource) lowerCase() {
	names := map[string]bool{}
	for _, decl := range s.file.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok && s.isBuilder(d) {
			names[d.Name.Name] = true
			if d.Doc != nil {
				for _, line := range d.Doc.List {
					if text := builderName.ReplaceAllString(line.Text, "new$1"); text != line.Text {
						s.replace(line, text)
					}
				}
			}
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && names[id.Name] {
			s.replace(id, "new"+strings.TrimPrefix(id.Name, "New"))
		}
		return true
	})
}

// isStyling reports whether a call writes a parameter in its style, and where it goes.
func (s *goSource) isStyling(n ast.Node) (call *ast.CallExpr, location string) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 5 || s.text(call.Fun) != "runtime.StyleParamWithOptions" {
		return nil, ""
	}
	for _, location := range []string{"Path", "Query"} {
		if strings.Contains(s.text(call.Args[4]), "runtime.ParamLocation"+location) {
			return call, location
		}
	}
	return call, ""
}

// styles lets parameters of the path be written by a function of ours, which refuses what is no
// part of a path.
func (s *goSource) styles() {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if call, location := s.isStyling(n); location == "Path" {
			s.replace(call.Fun, "stylePath")
		}
		return true
	})
}

// conditions lets the conditions under which a parameter of the query is sent hold for lists that
// are not empty, and writes orders.
func (s *goSource) conditions(orders map[string]bool) {
	for _, decl := range s.file.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok && s.isBuilder(d) {
			for _, f := range d.Type.Params.List {
				if len(f.Names) == 1 && f.Names[0].Name == "params" {
					s.conditionsOf(d, strings.TrimPrefix(s.text(f.Type), "*"), orders)
				}
			}
		}
	}
}

func (s *goSource) conditionsOf(builder *ast.FuncDecl, params string, orders map[string]bool) {
	ast.Inspect(builder.Body, func(n ast.Node) bool {
		condition, ok := n.(*ast.IfStmt)
		if !ok || condition.Init != nil {
			return true
		}
		binary, ok := condition.Cond.(*ast.BinaryExpr)
		if !ok || binary.Op != token.NEQ || s.text(binary.Y) != "nil" || !strings.HasPrefix(s.text(binary.X), "params.") {
			return true
		}
		ast.Inspect(condition.Body, func(n ast.Node) bool {
			call, location := s.isStyling(n)
			if location != "Query" {
				return true
			}
			value := s.text(call.Args[3])
			switch field := strings.TrimPrefix(value, "*params."); {
			case orders[params+"."+field] && s.text(call.Args[0]) == `"deepObject"`:
				s.replace(call, fmt.Sprintf("styleOrder(%s, %s)", s.text(call.Args[2]), strings.TrimPrefix(value, "*")))
				s.replace(binary, "len("+s.text(binary.X)+") > 0")
			case value == s.text(binary.X): // a list or a map: others are pointers
				s.replace(binary, "len("+value+") > 0")
			}
			return false
		})
		return true
	})
}

// contentType is the statement that sets the content type of a body.
const contentType = `req.Header.Add("Content-Type", contentType)`

// contentTypes lets a content type be set under the condition that there is one.
func (s *goSource) contentTypes() {
	ast.Inspect(s.file, func(n ast.Node) bool {
		statement, ok := n.(*ast.ExprStmt)
		if ok && s.text(statement) == contentType {
			s.replace(statement, "if contentType != \"\" {\n"+contentType+"\n}")
		}
		return true
	})
}

// sortOrders makes of each struct of directions a list that keeps the sequence in which its keys
// were added, with a method for each key, and gives names to directions that are neither asc nor desc. It
// returns the names of the fields that hold one.
func (s *goSource) sortOrders(directions []string) (fields map[string]bool) {
	types := map[string]bool{}
	for name, st := range s.structs() {
		if len(st.Fields.List) > 0 && !slices.ContainsFunc(st.Fields.List, func(f *ast.Field) bool {
			return len(f.Names) != 1 || s.text(f.Type) != "SortDirection"
		}) {
			types[name] = true
			s.replace(st, orderType(name, st)+directionsOf(directions))
			directions = nil // once
		}
	}
	fields = map[string]bool{}
	for name, st := range s.structs() {
		for _, f := range st.Fields.List {
			if pointer, ok := f.Type.(*ast.StarExpr); ok && len(f.Names) == 1 && types[s.text(pointer.X)] {
				s.replace(pointer, s.text(pointer.X))
				fields[name+"."+f.Names[0].Name] = true
			}
		}
	}
	return fields
}

// structs walks over the structs that the file declares.
func (s *goSource) structs() iter.Seq2[string, *ast.StructType] {
	return func(yield func(string, *ast.StructType) bool) {
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE || len(d.Specs) != 1 {
				continue
			}
			spec := d.Specs[0].(*ast.TypeSpec)
			if st, ok := spec.Type.(*ast.StructType); ok && !yield(spec.Name.Name, st) {
				return
			}
		}
	}
}

func orderType(name string, st *ast.StructType) string {
	var b strings.Builder
	b.WriteString("[]sortKey\n")
	for _, f := range st.Fields.List {
		key := f.Names[0].Name
		if f.Tag != nil {
			tag, _ := strconv.Unquote(f.Tag.Value)
			key, _, _ = strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		}
		method := f.Names[0].Name
		fmt.Fprintf(&b, "\n// %s sorts by %s, behind the keys that o has already.\nfunc (o %s) %s(d SortDirection) %s { return sortedBy(o, %q, d) }\n",
			method, key, name, method, name, key)
	}
	return b.String()
}

// directionsOf declares values of keys of orders that api/order.go does not have.
func directionsOf(values []string) string {
	var b strings.Builder
	names := map[string]string{}
	for _, value := range values {
		names[value] = "SortDirection" + goName(value)
	}
	names = distinct(names, nil, func(name string) bool { return name == "SortDirection" })
	for _, value := range values {
		fmt.Fprintf(&b, "\n// %s is a direction of some keys.\nconst %[1]s SortDirection = %[2]q\n", names[value], value)
	}
	return b.String()
}
