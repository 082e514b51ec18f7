package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the document
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed openapi.yaml
var openapiYAML []byte

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS string

// document is the description of the interface: for programs, and for people.
type document struct {
	json []byte
	page []byte
	csp  []string
}

// readDocument makes both forms. It is an error of the program if that fails.
func readDocument() (*document, error) {
	var spec map[string]any
	if err := yaml.Unmarshal(openapiYAML, &spec); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	page, err := renderDocs(spec)
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	sum := sha256.Sum256([]byte(docsCSS))
	csp := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	return &document{json: text, page: page, csp: []string{csp}}, nil
}

// openAPI sends the document.
func openAPI(x *exchange) {
	x.Header().Set("Cache-Control", "no-cache")
	x.send(http.StatusOK, typeJSON, x.docs.json)
}

// humanDocs sends the page, which is written from the document and needs no script.
func humanDocs(x *exchange) {
	h := x.Header()
	h["Content-Security-Policy"] = x.docs.csp
	h.Set("Cache-Control", "no-cache")
	x.send(http.StatusOK, []string{"text/html; charset=utf-8"}, x.docs.page)
}

// What the page is written from.
type (
	docsPage struct {
		Title, Version string
		Intro          []string
		Style          template.CSS
		Groups         []docsGroup
		Problems       []docsProblem
		Schemas        []docsSchema
	}
	docsGroup struct {
		Name, About string
		Operations  []docsOperation
	}
	docsOperation struct {
		Method, Path, ID, Summary, Role string
		About                           []string
		Parameters                      []docsParameter
		Bodies                          []docsBody
		Answers                         []docsAnswer
	}
	docsParameter struct{ Name, In, About, Need string }
	docsBody      struct{ Type, Schema, Example string }
	docsAnswer    struct{ Status, About, Schema string }
	docsProblem   struct {
		Slug, Title, Next string
		Status            int
	}
	docsSchema struct{ Name, About, Text string }
)

// renderDocs writes the page.
func renderDocs(spec map[string]any) ([]byte, error) {
	page := docsPage{Style: template.CSS(docsCSS)} //nolint:gosec // our own, embedded
	info := object(spec["info"])
	page.Title, page.Version = text(info["title"]), text(info["version"])
	page.Intro = paragraphs(text(info["description"]))
	for _, tag := range array(spec["tags"]) {
		t := object(tag)
		group := docsGroup{Name: text(t["name"]), About: text(t["description"])}
		group.Operations = operationsOf(spec, group.Name)
		page.Groups = append(page.Groups, group)
	}
	for _, p := range problems {
		page.Problems = append(page.Problems, docsProblem{p.slug, p.title, p.next, p.status})
	}
	schemas := object(object(spec["components"])["schemas"])
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		s := object(schemas[name])
		page.Schemas = append(page.Schemas, docsSchema{name, text(s["description"]), indented(s)})
	}
	parsed, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, page)
	return out.Bytes(), err
}

// operationsOf gives the operations of a tag, by path, in the order of methods.
func operationsOf(spec map[string]any, tag string) []docsOperation {
	var list []docsOperation
	paths := object(spec["paths"])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := object(paths[path])
		for _, method := range []string{"get", "post", "put", "delete"} {
			op := object(item[method])
			if op == nil || !slices.Contains(array(op["tags"]), any(tag)) {
				continue
			}
			list = append(list, operationOf(spec, method, path, op))
		}
	}
	return list
}

func operationOf(spec map[string]any, method, path string, op map[string]any) docsOperation {
	out := docsOperation{
		Method: strings.ToUpper(method), Path: path, ID: text(op["operationId"]), Summary: text(op["summary"]),
		Role: unless(text(op["x-role"]), "anybody"), About: paragraphs(text(op["description"])),
	}
	for _, p := range array(op["parameters"]) {
		parameter := resolve(spec, object(p))
		need := ""
		if parameter["required"] == true {
			need = "required"
		}
		out.Parameters = append(out.Parameters, docsParameter{text(parameter["name"]), text(parameter["in"]), text(parameter["description"]), need})
	}
	content := object(object(op["requestBody"])["content"])
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		body := object(content[kind])
		out.Bodies = append(out.Bodies, docsBody{kind, schemaName(object(body["schema"])), exampleOf(body["example"])})
	}
	answers := object(op["responses"])
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		answer := resolve(spec, object(answers[status]))
		schema := ""
		for _, kind := range slices.Sorted(maps.Keys(object(answer["content"]))) {
			schema = strings.TrimSpace(schema + " " + kind + " " + schemaName(object(object(object(answer["content"])[kind])["schema"])))
		}
		out.Answers = append(out.Answers, docsAnswer{status, text(answer["description"]), schema})
	}
	return out
}

// resolve follows a reference.
func resolve(spec, value map[string]any) map[string]any {
	ref := text(value["$ref"])
	if ref == "" {
		return value
	}
	at := spec
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = object(at[part])
	}
	return at
}

// schemaName is the name of a schema that is referred to, or what it is.
func schemaName(schema map[string]any) string {
	if ref := text(schema["$ref"]); ref != "" {
		return ref[strings.LastIndex(ref, "/")+1:]
	}
	if text(schema["type"]) == "array" {
		return "list of " + schemaName(object(schema["items"]))
	}
	var names []string
	for _, one := range array(schema["oneOf"]) {
		names = append(names, schemaName(object(one)))
	}
	if names != nil {
		return strings.Join(names, " or ")
	}
	return text(schema["type"])
}

func exampleOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return indented(value)
}

func indented(value any) string {
	out, err := yaml.Marshal(value)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func paragraphs(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func object(value any) map[string]any { m, _ := value.(map[string]any); return m }

func array(value any) []any { a, _ := value.([]any); return a }

func text(value any) string { s, _ := value.(string); return s }
