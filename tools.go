//go:build tools

// Tools that the generation runs. They are also named by the tool directives of go.mod.
package mangadex

import _ "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen"
