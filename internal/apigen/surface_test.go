package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
	"sync"
	"testing"
)

// presentSurface is what package api exports today.
var presentSurface = sync.OnceValues(func() ([]string, error) {
	files, _, err := presentFiles()
	if err != nil {
		return nil, err
	}
	return surfaceOf(files)
})

// surfaces are what package api exports today, and what it exports with generated files. The module must
// compile with them.
func surfaces(t testing.TB, files Files) (before, after []string) {
	t.Helper()
	before, err := presentSurface()
	if err != nil {
		t.Fatal(err)
	}
	if after, err = surfaceOf(files); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// keepsSurface reports what package api exports today and not with generated files.
func keepsSurface(t testing.TB, files Files) {
	t.Helper()
	before, after := surfaces(t, files)
	for _, name := range before {
		if _, found := slices.BinarySearch(after, name); !found {
			t.Errorf("%s has changed", name)
		}
	}
}

// surfaceOf lists what package api exports with generated files, without the names of arguments.
func surfaceOf(files Files) ([]string, error) {
	pkg, err := typeCheck(files)
	if err != nil {
		return nil, err
	}
	var names []string
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		object := scope.Lookup(name)
		if !object.Exported() {
			continue
		}
		if constant, ok := object.(*types.Const); ok {
			names = append(names, fmt.Sprintf("%s = %s", withoutNames(object.Type(), object), constant.Val()))
		} else {
			names = append(names, withoutNames(object.Type(), object))
		}
		named, ok := object.Type().(*types.Named)
		if _, isType := object.(*types.TypeName); !isType || !ok {
			continue
		}
		for method := range named.Methods() {
			if method.Exported() {
				names = append(names, withoutNames(method.Type(), method))
			}
		}
		if fields, ok := named.Underlying().(*types.Struct); ok {
			for i := range fields.NumFields() {
				names = append(names, name+"."+withoutNames(fields.Field(i).Type(), fields.Field(i))+" "+fields.Tag(i))
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

func withoutNames(t types.Type, object types.Object) string {
	signature, ok := t.(*types.Signature)
	if !ok {
		return object.Name() + " " + t.String()
	}
	var arguments []string
	for v := range signature.Params().Variables() {
		arguments = append(arguments, v.Type().String())
	}
	receiver := ""
	if signature.Recv() != nil {
		receiver = signature.Recv().Type().String()
	}
	return fmt.Sprintf("%s %s(%s) %s", receiver, object.Name(), strings.Join(arguments, ", "), signature.Results())
}
