package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
)

// schemas checks values against the part of JSON Schema that openapi.yaml uses. A keyword
// that it does not know fails, so that no promise of the document goes unchecked.
type schemas struct{ spec map[string]any }

func (s *schemas) resolve(schema map[string]any) map[string]any {
	ref, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	var at any = s.spec
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[part]
	}
	found, _ := at.(map[string]any)
	return found
}

// check says what is wrong with a value, at which place.
func (s *schemas) check(schema map[string]any, value any, at string) []string {
	if ref, ok := schema["$ref"]; ok {
		if schema = s.resolve(schema); schema == nil {
			return []string{fmt.Sprintf("%s: %v leads nowhere", at, ref)}
		}
	}
	var wrong []string
	fail := func(format string, arguments ...any) {
		wrong = append(wrong, at+": "+fmt.Sprintf(format, arguments...))
	}
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		rule := schema[keyword]
		switch keyword {
		case "description", "default", "items", "additionalProperties", "$ref": // the last three are looked at elsewhere
		case "type":
			if !hasType(rule, value) {
				fail("%.100v is no %v", value, rule)
			}
		case "enum":
			if !slices.ContainsFunc(rule.([]any), func(one any) bool { return one == value }) {
				fail("%v is not among %v", value, rule)
			}
		case "minimum":
			if n, ok := value.(float64); ok && n < rule.(float64) {
				fail("%v is below %v", n, rule)
			}
		case "maximum":
			if n, ok := value.(float64); ok && n > rule.(float64) {
				fail("%v is above %v", n, rule)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(text) {
				fail("%q does not match %v", text, rule)
			}
		case "minLength", "maxLength", "minItems", "maxItems":
			if n, ok := length(value); ok && (strings.HasPrefix(keyword, "min") && float64(n) < rule.(float64) || strings.HasPrefix(keyword, "max") && float64(n) > rule.(float64)) {
				fail("has %d, %s is %v", n, keyword, rule)
			}
		case "required":
			if m, ok := value.(map[string]any); ok {
				for _, name := range rule.([]any) {
					if _, there := m[name.(string)]; !there {
						fail("%v is missing", name)
					}
				}
			}
		case "properties":
			wrong = append(wrong, s.properties(schema, value, at)...)
		case "oneOf":
			fits := 0
			var why []string
			for _, one := range rule.([]any) {
				problems := s.check(one.(map[string]any), value, at)
				if len(problems) == 0 {
					fits++
				}
				why = append(why, problems...)
			}
			if fits != 1 {
				fail("fits %d of the alternatives: %v", fits, why)
			}
		default:
			fail("the keyword %s is not checked", keyword)
		}
	}
	if _, ok := schema["properties"]; !ok && schema["additionalProperties"] != nil {
		wrong = append(wrong, s.properties(schema, value, at)...)
	}
	if list, ok := value.([]any); ok && schema["items"] != nil {
		for i, item := range list {
			wrong = append(wrong, s.check(schema["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return wrong
}

func (s *schemas) properties(schema map[string]any, value any, at string) []string {
	m, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	known, _ := schema["properties"].(map[string]any)
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		place := at + "." + name
		switch more := schema["additionalProperties"].(type) {
		case map[string]any:
			if known[name] == nil {
				wrong = append(wrong, s.check(more, m[name], place)...)
				continue
			}
		case bool:
			if known[name] == nil && !more {
				wrong = append(wrong, place+": is not in the document")
				continue
			}
		}
		if rule, ok := known[name].(map[string]any); ok {
			wrong = append(wrong, s.check(rule, m[name], place)...)
		}
	}
	return wrong
}

func hasType(rule, value any) bool {
	if list, ok := rule.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return hasType(one, value) })
	}
	switch v := value.(type) {
	case nil:
		return rule == "null"
	case bool:
		return rule == "boolean"
	case string:
		return rule == "string"
	case float64:
		return rule == "number" || rule == "integer" && v == math.Trunc(v)
	case []any:
		return rule == "array"
	case map[string]any:
		return rule == "object"
	}
	return false
}

func length(value any) (int, bool) {
	switch v := value.(type) {
	case string:
		return len(v), true
	case []any:
		return len(v), true
	}
	return 0, false
}

// plainJSON reads JSON as maps, lists and numbers.
func plainJSON(text []byte) (any, error) {
	var v any
	err := json.Unmarshal(text, &v)
	return v, err
}
