package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mangadex-go/mangadex/internal/document"
)

// before is the file to replace in TestChanges. The cases edit it.
const before = `openapi: 3.0.3
info: {version: '1'}
servers: [{url: https://api.example.org}]
security: [{Bearer: []}]
tags: [{name: Manga}, {name: Auth}]
paths:
  /manga:
    get:
      operationId: search
      tags: [Manga]
      parameters:
        - {name: limit, in: query, schema: {type: integer, default: 10}}
        - {name: 'ids[]', in: query, style: form, schema: {type: array, items: {type: string, enum: [a, b]}}}
        - {name: year, in: query, schema: {oneOf: [{type: integer}, {type: string, enum: [none]}]}}
        - {$ref: '#/components/parameters/Page'}
      responses:
        '200': {description: '', content: {application/json: {schema: {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Manga'}}}}}}}
        '404': {description: ''}
    post:
      operationId: create
      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses: {'200': {description: ''}}
  /manga/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: X-Trace, in: header, schema: {type: string}}
    get: {operationId: get, security: [], responses: {'200': {description: ''}}}
    delete: {deprecated: true, responses: {'200': {description: ''}}}
  /ping: {get: {responses: {'200': {description: ''}}}}
  /pong: {get: {responses: {'200': {description: ''}}}}
components:
  parameters:
    Page: {name: page, in: query, schema: {type: integer}}
  responses:
    Gone: {description: '', content: {text/plain: {schema: {type: string}}}}
  requestBodies:
    New: {content: {text/plain: {schema: {type: string}}}}
  headers:
    X-Id: {schema: {type: string}}
  securitySchemes:
    Bearer: {type: http, scheme: bearer}
    Key: {type: apiKey, name: key, in: header}
  schemas:
    Manga:
      type: object
      required: [id, old]
      properties:
        id: {type: string, format: uuid}
        old: {type: string}
        status: {type: string, enum: [ongoing, done, '1', 1]}
        year: {type: integer, nullable: true, minimum: 1}
        parent: {$ref: '#/components/schemas/Manga'}
        names: {type: object, additionalProperties: {type: string}}
        a.b: {type: string}
        any: {type: array, items: {anyOf: [{$ref: '#/components/schemas/Manga'}, {type: object, properties: {x: {type: string}}}]}}
    Free: {type: object, additionalProperties: true}
    Part: {type: object, properties: {size: {type: integer}, colour: {type: string}}}
    Whole: {allOf: [{$ref: '#/components/schemas/Part'}, {type: object, properties: {title: {type: string}}}]}
    Pair: {type: object, properties: {left: {allOf: [{type: object, properties: {p: {type: string}}}, {type: object, properties: {q: {type: string}}}]}, right: {allOf: [{type: object, properties: {p: {type: string}}}, {type: object, properties: {q: {type: string}}}]}}}
    Unused: {type: string}
`

func TestChanges(t *testing.T) {
	t.Parallel()
	type edit [2]string
	for name, test := range map[string]struct {
		edits                  []edit
		breaking, added, other string // lines
	}{
		"operation removed":         {edits: []edit{{"  /ping: {get: {responses: {'200': {description: ''}}}}\n", ""}}, breaking: "- removed operation GET /ping"},
		"operation added":           {edits: []edit{{"/ping: {get: ", "/ping: {put: {operationId: put-ping, deprecated: true}, get: "}}, added: "+ added operation PUT /ping (put-ping), deprecated"},
		"operation renamed":         {edits: []edit{{"operationId: search", "operationId: Search"}}, other: "~ renamed operation GET /manga: search → Search"},
		"operation named":           {edits: []edit{{"/ping: {get: {", "/ping: {get: {operationId: ping, "}}, other: "~ renamed operation GET /ping: none → ping"},
		"operation deprecated":      {edits: []edit{{"operationId: search", "operationId: search\n      deprecated: true"}}, other: "~ deprecated operation GET /manga"},
		"operation not deprecated":  {edits: []edit{{"delete: {deprecated: true, ", "delete: {"}}, other: "~ no longer deprecated: operation DELETE /manga/{id}"},
		"operation tags":            {edits: []edit{{"      tags: [Manga]", "      tags: [Manga, Auth]"}}, other: `~ changed tags of GET /manga: ["Manga"] → ["Manga","Auth"]`},
		"operation extension":       {edits: []edit{{"operationId: search", "operationId: search\n      x-a: {b: 1}"}}, other: `~ changed x-a of GET /manga: none → {"b":1}`},
		"path extension":            {edits: []edit{{"/ping: {get", "/ping: {x-a: 1, get"}}, other: "~ changed x-a of GET /ping: none → 1"},
		"path parameter renamed":    {edits: []edit{{"/manga/{id}", "/manga/{mangaId}"}, {"name: id, in: path", "name: mangaId, in: path"}}, other: "~ renamed path parameters of GET /manga/{mangaId}: /manga/{id} → /manga/{mangaId}\n~ renamed path parameters of DELETE /manga/{mangaId}: /manga/{id} → /manga/{mangaId}"},
		"parameter removed":         {edits: []edit{{"        - {$ref: '#/components/parameters/Page'}\n", ""}}, breaking: "- removed query parameter GET /manga?page"},
		"parameter added":           {edits: []edit{{"        - {name: year,", "        - {name: 'foo[]', in: query, schema: {type: string}}\n        - {name: year,"}}, added: "+ added query parameter GET /manga?foo[]"},
		"required parameter added":  {edits: []edit{{"        - {name: year,", "        - {name: X-Key, in: header, required: true}\n        - {name: year,"}}, breaking: "+ added required header parameter GET /manga X-Key"},
		"parameter required":        {edits: []edit{{"in: query, schema: {type: integer, default: 10}", "in: query, required: true, schema: {type: integer, default: 10}"}}, breaking: "~ now required: query parameter GET /manga?limit"},
		"parameter not required":    {edits: []edit{{"in: path, required: true", "in: path"}}, other: "~ no longer required: path parameter GET /manga/{id} id\n~ no longer required: path parameter DELETE /manga/{id} id"},
		"parameter type":            {edits: []edit{{"type: integer, default: 10", "type: string, default: '10'"}}, breaking: "~ changed type of GET /manga?limit: integer → string"},
		"parameter component type":  {edits: []edit{{"Page: {name: page, in: query, schema: {type: integer}}", "Page: {name: page, in: query, schema: {type: string}}"}}, breaking: "~ changed type of GET /manga?page: integer → string"},
		"parameter overridden":      {edits: []edit{{"get: {operationId: get,", "get: {operationId: get, parameters: [{name: X-Trace, in: header, schema: {type: integer}}],"}}, breaking: "~ changed type of GET /manga/{id} X-Trace: string → integer"},
		"parameter default":         {edits: []edit{{"default: 10", "default: 20"}}, other: "~ changed default of GET /manga?limit: 10 → 20"},
		"parameter style":           {edits: []edit{{"style: form", "style: deepObject"}}, breaking: "~ changed style of query parameter GET /manga?ids[]: form → deepObject"},
		"parameter deprecated":      {edits: []edit{{"{name: limit,", "{name: limit, deprecated: true,"}}, other: "~ deprecated query parameter GET /manga?limit"},
		"parameter extension":       {edits: []edit{{"{name: limit,", "{name: limit, x-a: on,"}}, other: `~ changed x-a of query parameter GET /manga?limit: none → "on"`},
		"parameter enum":            {edits: []edit{{"enum: [a, b]", "enum: [b, c]"}}, breaking: "- removed enum value GET /manga?ids[] $[]: a", added: "+ added enum value GET /manga?ids[] $[]: c"},
		"parameter alternative":     {edits: []edit{{"oneOf: [{type: integer}, ", "oneOf: [{type: boolean}, "}}, breaking: "- removed from oneOf of GET /manga?year: integer", added: "+ added to oneOf of GET /manga?year: boolean"},
		"parameter not alternative": {edits: []edit{{"{oneOf: [{type: integer}, {type: string, enum: [none]}]}", "{type: string}"}}, breaking: "~ changed type of GET /manga?year: one of integer, string → string"},
		"parameters reordered":      {edits: []edit{{"name: limit, in: query, schema: {type: integer, default: 10}", "$ref: '#/components/parameters/Page'"}, {"        - {$ref: '#/components/parameters/Page'}\n      resp", "        - {name: limit, in: query, schema: {type: integer, default: 10}}\n      resp"}}, other: "~ nothing that is on the wire"},
		"parameter moved":           {edits: []edit{{"/ping: {get: {", "/ping: {parameters: [{name: a, in: query}], get: {"}}, added: "+ added query parameter GET /ping?a"},

		"request body added":          {edits: []edit{{"/ping: {get: {", "/ping: {get: {requestBody: {content: {}}, "}}, added: "+ added request body GET /ping"},
		"required request body added": {edits: []edit{{"/ping: {get: {", "/ping: {get: {requestBody: {required: true, content: {}}, "}}, breaking: "+ added required request body GET /ping"},
		"request body removed":        {edits: []edit{{"      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}\n", ""}}, breaking: "- removed request body POST /manga"},
		"request body required":       {edits: []edit{{"requestBody: {content", "requestBody: {required: true, content"}}, breaking: "~ now required: request body POST /manga"},
		"request body property":       {edits: []edit{{"name: {type: string}", "name: {type: string}, x: {type: string}"}}, added: "+ added property POST /manga request application/json $.x: string"},
		"request body property type":  {edits: []edit{{"name: {type: string}", "name: {type: number, format: double}"}}, breaking: "~ changed type of POST /manga request application/json $.name: string → number (double)"},
		"content type":                {edits: []edit{{"requestBody: {content: {application/json", "requestBody: {content: {multipart/form-data"}}, breaking: "- removed content type POST /manga request application/json", added: "+ added content type POST /manga request multipart/form-data"},
		"encoding":                    {edits: []edit{{"requestBody: {content: {application/json: {", "requestBody: {content: {application/json: {encoding: {name: {style: form}}, "}}, other: `~ changed encoding of POST /manga request application/json: none → {"name":{"style":"form"}}`},
		"body extension":              {edits: []edit{{"requestBody: {content", "requestBody: {x-a: 1, content"}}, other: "~ changed x-a of POST /manga request: none → 1"},
		"response removed":            {edits: []edit{{"        '404': {description: ''}\n", ""}}, other: "- removed response GET /manga 404"},
		"success removed":             {edits: []edit{{"delete: {deprecated: true, responses: {'200': {description: ''}}}", "delete: {deprecated: true, responses: {default: {description: ''}}}"}}, breaking: "- removed response DELETE /manga/{id} 200", added: "+ added response DELETE /manga/{id} default"},
		"success of another status":   {edits: []edit{{"delete: {deprecated: true, responses: {'200'", "delete: {deprecated: true, responses: {'204'"}}, other: "~ changed status of DELETE /manga/{id}: 200 → 204"},
		"success of two others":       {edits: []edit{{"delete: {deprecated: true, responses: {'200': {description: ''}}}", "delete: {deprecated: true, responses: {'201': {description: ''}, '202': {description: ''}}}"}}, other: "~ changed status of DELETE /manga/{id}: 200 → 201", added: "+ added response DELETE /manga/{id} 202"},
		"response added":              {edits: []edit{{"        '404': {description: ''}\n", "        '404': {description: ''}\n        default: {description: ''}\n"}}, added: "+ added response GET /manga default"},
		"response property type":      {edits: []edit{{"data: {type: array, items: {$ref: '#/components/schemas/Manga'}}", "data: {type: array, items: {$ref: '#/components/schemas/Free'}}"}}, breaking: "~ changed type of GET /manga response 200 application/json $.data[]: Manga → Free"},
		"response property removed":   {edits: []edit{{"properties: {data: {type: array, items: {$ref: '#/components/schemas/Manga'}}}", "properties: {}"}}, breaking: "- removed property GET /manga response 200 application/json $.data"},

		"security dropped":    {edits: []edit{{"/ping: {get: {", "/ping: {get: {security: [], "}}, other: "~ changed security of operation GET /ping: Bearer → anonymous"},
		"security optional":   {edits: []edit{{"/ping: {get: {", "/ping: {get: {security: [{}, {Bearer: []}], "}}, other: "~ changed security of operation GET /ping: Bearer → anonymous or Bearer"},
		"security demanded":   {edits: []edit{{"operationId: get, security: []", "operationId: get, security: [{Bearer: [], Key: [a]}]"}}, breaking: `~ changed security of operation GET /manga/{id}: anonymous → Bearer + Key["a"]`},
		"security elsewhere":  {edits: []edit{{"/ping: {get: {", "/ping: {get: {security: [{Key: []}], "}}, breaking: "~ changed security of operation GET /ping: Bearer → Key"},
		"security of all":     {edits: []edit{{"security: [{Bearer: []}]", "security: []"}, {"  /ping: {get: {responses: {'200': {description: ''}}}}\n", "  /ping: {get: {security: [{Bearer: []}], responses: {'200': {description: ''}}}}\n"}}, other: "~ changed security of operation GET /manga: Bearer → anonymous\n~ changed security of operation POST /manga: Bearer → anonymous\n~ changed security of operation DELETE /manga/{id}: Bearer → anonymous\n~ changed security of operation GET /pong: Bearer → anonymous\n" + `~ changed security of the document: [{"Bearer":[]}] → []`},
		"security scheme":     {edits: []edit{{"scheme: bearer", "scheme: basic"}}, breaking: `~ changed security scheme Bearer: {"scheme":"bearer","type":"http"} → {"scheme":"basic","type":"http"}`},
		"security scheme new": {edits: []edit{{"    Key: {type", "    New: {type: http, scheme: basic}\n    Key: {type"}}, added: "+ added security scheme New"},

		"schema removed":            {edits: []edit{{"    Unused: {type: string}\n", ""}}, other: "- removed schema Unused"},
		"schema added":              {edits: []edit{{"    Unused: {type: string}\n", "    Unused: {type: string}\n    New: {type: object}\n"}}, added: "+ added schema New"},
		"schema type":               {edits: []edit{{"Unused: {type: string}", "Unused: {type: array, items: {type: string}}"}}, breaking: "~ changed type of Unused: string → array of string"},
		"schema types":              {edits: []edit{{"Unused: {type: string}", "Unused: {type: [string, 'null']}"}}, breaking: `~ changed type of Unused: string → string or null`},
		"schema anything":           {edits: []edit{{"Unused: {type: string}", "Unused: true"}}, breaking: "~ changed type of Unused: string → any"},
		"schema deprecated":         {edits: []edit{{"Unused: {type: string}", "Unused: {type: string, deprecated: true}"}}, other: "~ deprecated Unused"},
		"schema limited":            {edits: []edit{{"Unused: {type: string}", "Unused: {type: string, enum: [a, '1']}"}}, breaking: `~ now limited to ["a","1"]: Unused`},
		"schema not limited":        {edits: []edit{{"type: string, enum: [ongoing, done, '1', 1]", "type: string"}}, breaking: `~ no longer limited to ["ongoing","done","1",1]: Manga.status`},
		"property removed":          {edits: []edit{{"        year: {type: integer, nullable: true, minimum: 1}\n", ""}}, breaking: "- removed property Manga.year"},
		"required property removed": {edits: []edit{{"        old: {type: string}\n", ""}, {"required: [id, old]", "required: [id]"}}, breaking: "- removed property Manga.old"},
		"property added":            {edits: []edit{{"        old: {type: string}\n", "        old: {type: string}\n        new: {type: string, format: uri}\n"}}, added: "+ added property Manga.new: string (uri)"},
		"required property added":   {edits: []edit{{"        old: {type: string}\n", "        old: {type: string}\n        new: {allOf: [{$ref: '#/components/schemas/Free'}]}\n"}, {"required: [id, old]", "required: [id, old, new]"}}, added: "+ added property Manga.new: Free"},
		"property required":         {edits: []edit{{"required: [id, old]", "required: [id, old, year]"}}, other: "~ now required: property Manga.year, which only answers have"},
		"request property required": {edits: []edit{{"{type: object, properties: {name: {type: string}}}", "{type: object, required: [name], properties: {name: {type: string}}}"}}, breaking: "~ now required: property POST /manga request application/json $.name"},
		"request property nullable": {edits: []edit{{"name: {type: string}", "name: {type: string, nullable: true}"}}, other: "~ now nullable: POST /manga request application/json $.name, which only requests have"},
		"request property format":   {edits: []edit{{"name: {type: string}", "name: {type: string, format: uri}"}}, breaking: "~ changed type of POST /manga request application/json $.name: string → string (uri)"},
		"property format":           {edits: []edit{{"old: {type: string}", "old: {type: string, format: uri}"}}, other: "~ changed type of Manga.old: string → string (uri), which only answers have"},
		"property of a base":        {edits: []edit{{"    Free: {", "    Base: {type: object, required: [old], properties: {old: {type: string}}}\n    Free: {"}, {"    Manga:\n      type: object\n      required: [id, old]\n", "    Manga:\n      type: object\n      allOf: [{$ref: '#/components/schemas/Base'}]\n      required: [id]\n"}, {"        old: {type: string}\n", ""}}, added: "+ added schema Base"},
		"schema composed of itself": {edits: []edit{{"parent: {$ref: '#/components/schemas/Manga'}", "parent: {allOf: [{$ref: '#/components/schemas/Manga'}, {type: object, properties: {x: {type: string}}}]}"}}, added: "+ added property Manga.parent.x: string", other: "~ renamed type of Manga.parent: Manga → all of Manga, object\n~ renamed type of Manga.parent.parent: Manga → all of Manga, object"},
		"member of a part":          {edits: []edit{{"{type: object, properties: {size: {type: integer}, colour: {type: string}}}", "{type: object, properties: {size: {type: integer}}}"}}, breaking: "- removed property Whole.colour"},
		"member to another part":    {edits: []edit{{", colour: {type: string}}}", "}}"}, {"{title: {type: string}}", "{title: {type: string}, colour: {type: string}}"}}, other: "~ nothing that is on the wire"},
		"member of two places":      {edits: []edit{{"left: {allOf: [{type: object, properties: {p: {type: string}}}", "left: {allOf: [{type: object, properties: {r: {type: string}}}"}, {"right: {allOf: [{type: object, properties: {p: {type: string}}}", "right: {allOf: [{type: object, properties: {r: {type: string}}}"}}, breaking: "- removed property Pair.left.p\n- removed property Pair.right.p", added: "+ added property Pair.left.r: string\n+ added property Pair.right.r: string"},
		"object without a type":     {edits: []edit{{"{schema: {type: object, properties: {name: {type: string}}}}", "{schema: {properties: {name: {type: string}}}}"}}, other: "~ nothing that is on the wire"},
		"how it is sent":            {edits: []edit{{"in: query, style: form,", "in: query,"}, {"{name: year, in: query,", "{name: year, in: query, style: form, explode: true, allowReserved: false, allowEmptyValue: false,"}}, other: "~ nothing that is on the wire"},
		"property not required":     {edits: []edit{{"required: [id, old]", "required: [id]"}}, breaking: "~ no longer required: property Manga.old"},
		"required reordered":        {edits: []edit{{"required: [id, old]", "required: [old, id]"}}, other: "~ nothing that is on the wire"},
		"property type":             {edits: []edit{{"old: {type: string}", "old: {type: integer}"}}, breaking: "~ changed type of Manga.old: string → integer"},
		"property format and more":  {edits: []edit{{"id: {type: string, format: uuid}", "id: {type: string, minLength: 1}"}}, breaking: "~ changed type of Manga.id: string (uuid) → string", other: "~ tightened minLength of Manga.id, which only answers have: none → 1"},
		"property reference":        {edits: []edit{{"parent: {$ref: '#/components/schemas/Manga'}", "parent: {type: object, properties: {}}"}}, breaking: "~ changed type of Manga.parent: Manga → object"},
		"property of odd name":      {edits: []edit{{"a.b: {type: string}", "a.b: {type: integer}"}}, breaking: "~ changed type of Manga[a.b]: string → integer"},
		"property nullable":         {edits: []edit{{"old: {type: string}", "old: {type: string, nullable: true}"}}, breaking: "~ now nullable: Manga.old"},
		"property not nullable":     {edits: []edit{{"nullable: true, minimum", "nullable: false, minimum"}}, other: "~ no longer nullable: Manga.year, which only answers have"},
		"property limit":            {edits: []edit{{"minimum: 1", "maximum: 2"}}, other: "~ tightened maximum of Manga.year, which only answers have: none → 2\n~ loosened minimum of Manga.year: 1 → none"},
		"property limit tightened":  {edits: []edit{{"minimum: 1", "minimum: 10"}}, other: "~ tightened minimum of Manga.year, which only answers have: 1 → 10"},
		"property limit loosened":   {edits: []edit{{"minimum: 1", "minimum: 0"}}, other: "~ loosened minimum of Manga.year: 1 → 0"},
		"the same in OpenAPI 3.1":   {edits: []edit{{"openapi: 3.0.3", "openapi: 3.1.0"}, {"type: integer, nullable: true", "type: [integer, 'null']"}}, other: `~ changed openapi: "3.0.3" → "3.1.0"`},
		"property deprecated":       {edits: []edit{{"old: {type: string}", "old: {type: string, deprecated: true}"}}, other: "~ deprecated Manga.old"},
		"enum value added":          {edits: []edit{{"[ongoing, done,", "[ongoing, hiatus, done,"}}, added: "+ added enum value Manga.status: hiatus"},
		"enum value removed":        {edits: []edit{{"[ongoing, done, '1', 1]", "[ongoing, done, 1]"}}, other: `- removed enum value Manga.status: "1", which only answers have`},
		"enum values reordered":     {edits: []edit{{"[ongoing, done,", "[done, ongoing,"}}, other: "~ nothing that is on the wire"},
		"map values":                {edits: []edit{{"additionalProperties: {type: string}", "additionalProperties: {type: integer}"}}, breaking: "~ changed type of Manga.names.*: string → integer"},
		"map closed":                {edits: []edit{{"additionalProperties: true", "additionalProperties: false"}}, breaking: "~ changed additionalProperties of Free: any → never"},
		"patterns":                  {edits: []edit{{"Free: {type: object,", "Free: {type: object, patternProperties: {^a: {type: string}},"}}, added: "+ added patternProperties Free ^a"},
		"items dropped":             {edits: []edit{{"data: {type: array, items: {$ref: '#/components/schemas/Manga'}}", "data: {type: array}"}}, breaking: "~ changed items of GET /manga response 200 application/json $.data: Manga → none"},
		"within an alternative":     {edits: []edit{{"x: {type: string}", "x: {type: boolean}"}}, breaking: "~ changed type of Manga.any[].anyOf[1].x: string → boolean"},
		"alternatives reordered":    {edits: []edit{{"anyOf: [{$ref: '#/components/schemas/Manga'}, {type: object, properties: {x: {type: string}}}]", "anyOf: [{type: object, properties: {x: {type: string}}}, {$ref: '#/components/schemas/Manga'}]"}}, other: "~ reordered anyOf of Manga.any[]"},
		"composed another way":      {edits: []edit{{"Unused: {type: string}", "Unused: {type: string, not: {type: string, enum: [a]}}"}}, breaking: "~ changed not of Unused: none → string"},

		"answer component":      {edits: []edit{{"'404': {description: ''}", "'404': {$ref: '#/components/responses/Gone'}"}}, added: "+ added content type GET /manga response 404 text/plain"},
		"body component":        {edits: []edit{{"requestBody: {content: {application/json:", "requestBody: {$ref: '#/components/requestBodies/New', x-a: {application/json:"}}, breaking: "- removed content type POST /manga request application/json", added: "+ added content type POST /manga request text/plain"},
		"component nobody uses": {edits: []edit{{"X-Id: {schema: {type: string}}", "X-Id: {schema: {type: integer}}"}}, other: "~ nothing that is on the wire"},
		"schema named":          {edits: []edit{{"names: {type: object, additionalProperties: {type: string}}", "names: {$ref: '#/components/schemas/Names'}"}, {"    Unused:", "    Names: {type: object, additionalProperties: {type: string}}\n    Unused:"}}, added: "+ added schema Names", other: "~ renamed type of Manga.names: object → Names"},

		"tags":              {edits: []edit{{"tags: [{name: Manga}, {name: Auth}]", "tags: [{name: Manga, x-a: 1}, {name: New}]"}}, other: "- removed tag Auth\n~ changed tag Manga.x-a: none → 1\n+ added tag New"},
		"tags reordered":    {edits: []edit{{"tags: [{name: Manga}, {name: Auth}]", "tags: [{name: Auth}, {name: Manga}]"}}, other: "~ nothing that is on the wire"},
		"server":            {edits: []edit{{"url: https://api.example.org", "url: https://api.example.com"}}, other: `~ changed servers: [{"url":"https://api.example.org"}] → [{"url":"https://api.example.com"}]`},
		"version":           {edits: []edit{{"version: '1'", "version: '2'"}}, other: `~ changed info.version: "1" → "2"`},
		"kind of OpenAPI":   {edits: []edit{{"openapi: 3.0.3", "openapi: 3.1.0"}}, other: `~ changed openapi: "3.0.3" → "3.1.0"`},
		"unknown extension": {edits: []edit{{"openapi: 3.0.3", "openapi: 3.0.3\nx-a: " + strings.Repeat("b", 300)}}, other: "~ changed x-a: none → " + strings.Repeat("b", 300)},
		"long value":        {edits: []edit{{"openapi: 3.0.3", "openapi: 3.0.3\nx-a: [" + strings.Repeat("b", 300) + "]"}}, other: `~ changed x-a: none → ["` + strings.Repeat("b", 198) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := before
			for _, e := range test.edits {
				if n := strings.Count(after, e[0]); n != 1 {
					t.Fatalf("%q occurs %d times", e[0], n)
				}
				after = strings.Replace(after, e[0], e[1], 1)
			}
			target := filepath.Join(t.TempDir(), "openapi.yaml")
			if r := runWith("-o", target, write(t, "before.yaml", before)); r.status != exitChanged {
				t.Fatalf("%+v", r)
			}
			source := write(t, "after.yaml", after)
			r := runWith("-o", target, source)
			if r.status != exitChanged || r.stderr != "" {
				t.Fatalf("%+v", r)
			}
			want := ""
			for _, part := range [][2]string{{document.Weighty, test.breaking}, {"Additions", test.added}, {"Other changes", test.other}} {
				if part[1] != "" {
					want += fmt.Sprintf("\n## %s\n\n```diff\n%s\n```\n", part[0], part[1])
				}
			}
			heading, got, _ := strings.Cut(r.stdout, "\n")
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if !strings.HasPrefix(heading, "openapi.yaml: version ") || !strings.HasSuffix(heading, "; was 1, 6 operations") {
				t.Errorf("heading %q", heading)
			}
			if r := runWith("-o", target, source); r.status != exitSame {
				t.Errorf("imported again: %+v", r)
			}
		})
	}
}

// TestRewritten tells when a file says the same in another way.
func TestRewritten(t *testing.T) {
	t.Parallel()
	target := write(t, "openapi.yaml", strings.Replace(imported, "# Facts", "# Edited facts", 1))
	r := runWith("-o", target, write(t, "api.yaml", upstream))
	want := "openapi.yaml: version 1.2.3, 5 operations; was 1.2.3, 5 operations\n\n## Other changes\n\n```diff\n~ the same facts, written in another way\n```\n"
	if !reflect.DeepEqual(r, result{exitChanged, want, ""}) || read(t, target) != imported {
		t.Errorf("%+v", r)
	}
}

// TestTwinPaths keeps operations apart whose paths differ only in the names of
// parameters.
func TestTwinPaths(t *testing.T) {
	t.Parallel()
	const twins = "openapi: 3.0.0\ninfo: {version: '1'}\npaths: {'/{a}': {get: {operationId: a}}, '/{b}': {get: {operationId: b}}}\n"
	target := filepath.Join(t.TempDir(), "openapi.yaml")
	if r := runWith("-o", target, write(t, "api.yaml", twins)); !strings.Contains(r.stdout, "2 operations") {
		t.Errorf("%+v", r)
	}
}
