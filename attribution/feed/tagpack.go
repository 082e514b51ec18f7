package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"coldtrail/attribution/label"
)

// TagPack is GraphSense's format for labels of addresses: a header, whose fields stand
// for all tags that do not say otherwise. Source: graphsense-tagpack-tool, schema.
var TagPack = &Feed{
	Name: "tagpack", Title: "GraphSense TagPack (YAML)",
	recognises: func(name string, head []byte) bool {
		return isYAML(name) && !bytes.Contains(head, []byte("\nactors:"))
	},
	read: readTagPack,
}

// ActorPack is GraphSense's format for actors. Ours, beyond it: an actor may name its
// parent, and who says so and when, where that is not the pack's.
var ActorPack = &Feed{
	Name: "actorpack", Title: "GraphSense ActorPack (YAML)",
	recognises: func(name string, head []byte) bool {
		return isYAML(name) && bytes.Contains(head, []byte("\nactors:"))
	},
	read: readActorPack,
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// maxDepth bounds how deep a document is nested.
const maxDepth = 16

// parseYAML reads one document without aliases: a few bytes of them can stand for
// gigabytes, and no pack needs any.
func parseYAML(from io.Reader) (*yaml.Node, error) {
	text, err := whole(from)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, errors.New(strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " "))
	}
	if err := plainTree(&document, 0); err != nil {
		return nil, err
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("want one document with fields")
	}
	return document.Content[0], nil
}

func plainTree(n *yaml.Node, depth int) error {
	switch {
	case depth > maxDepth:
		return fmt.Errorf("line %d: nested deeper than %d", n.Line, maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return fmt.Errorf("line %d: anchors and aliases are refused", n.Line)
	}
	for _, child := range n.Content {
		if err := plainTree(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// fields are the members of a mapping by name; a name that stands twice is an error.
func fields(n *yaml.Node) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: want fields", n.Line)
	}
	m := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if m[name] != nil {
			return nil, fmt.Errorf("line %d: %q stands twice", n.Content[i].Line, shorten(name))
		}
		m[name] = n.Content[i+1]
	}
	return m, nil
}

// scalar is the text of a field, or of a list its first item.
func scalar(n *yaml.Node) string {
	switch {
	case n == nil || n.Tag == "!!null":
		return ""
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		return scalar(n.Content[0])
	case n.Kind == yaml.ScalarNode:
		return n.Value
	}
	return ""
}

// items are the texts of a list.
func items(n *yaml.Node) (list []string) {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range n.Content {
		list = append(list, scalar(item))
	}
	return list
}

// flat writes a field of any shape on one line.
func flat(n *yaml.Node) string {
	if n == nil || n.Tag == "!!null" {
		return ""
	}
	switch n.Kind {
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, item := range n.Content {
			parts[i] = flat(item)
		}
		return strings.Join(parts, ", ")
	case yaml.MappingNode:
		var parts []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+flat(n.Content[i+1]))
		}
		return strings.Join(parts, "; ")
	case yaml.ScalarNode:
		return strings.Join(strings.Fields(n.Value), " ")
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return ""
}

func readTagPack(r *reading, from io.Reader) error {
	root, err := parseYAML(from)
	if err != nil {
		return err
	}
	header, err := fields(root)
	if err != nil {
		return err
	}
	tags := header["tags"]
	if tags == nil || tags.Kind != yaml.SequenceNode {
		return errors.New("a TagPack needs a list of tags")
	}
	if stated, err := moment(scalar(header["lastmod"])); err == nil {
		r.out.Stated = stated
	}
	for _, tag := range tags.Content {
		own, err := fields(tag)
		if err != nil {
			if err := r.reject(tag.Line, err.Error()); err != nil {
				return err
			}
			continue
		}
		if err := r.tag(tag.Line, header, own); err != nil {
			return err
		}
	}
	return nil
}

// tag reads one tag with its header.
func (r *reading) tag(line int, header, own map[string]*yaml.Node) error {
	get := func(name string) *yaml.Node {
		if n := own[name]; n != nil {
			return n
		}
		return header[name]
	}
	c := label.Claim{
		Label: scalar(get("label")), Actor: scalar(get("actor")), Confidence: scalar(get("confidence")), By: scalar(get("creator")),
		Source: scalar(get("source")), Why: bound(flat(get("context"))), Cluster: scalar(get("is_cluster_definer")) == "true",
	}
	c.Abuse = concept(scalar(get("abuse")), &c)
	if c.Concept = concept(scalar(get("category")), &c); c.Concept == "" {
		c.Concept = concept(scalar(get("concepts")), &c)
	}
	var err error
	if c.Stated, err = moment(scalar(get("lastmod"))); err != nil {
		return r.reject(line, "lastmod: "+err.Error())
	}
	if _, known := label.Confidences[c.Confidence]; c.Confidence != "" && !known {
		return r.reject(line, fmt.Sprintf("confidence %q is not known", shorten(c.Confidence)))
	}
	network := scalar(get("network"))
	if network == "" {
		network = scalar(get("currency"))
	}
	return r.add(line, network, scalar(own["address"]), &c)
}

// bound cuts a reason to what a claim may say.
func bound(text string) string {
	const most = 2000
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func readActorPack(r *reading, from io.Reader) error {
	root, err := parseYAML(from)
	if err != nil {
		return err
	}
	header, err := fields(root)
	if err != nil {
		return err
	}
	actors := header["actors"]
	if actors == nil || actors.Kind != yaml.SequenceNode {
		return errors.New("an ActorPack needs a list of actors")
	}
	for _, entry := range actors.Content {
		own, err := fields(entry)
		if err == nil {
			err = r.actor(entry.Line, header, own)
		} else {
			err = r.reject(entry.Line, err.Error())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxActor bounds an actor's identifier.
const maxActor = 128

func (r *reading) actor(line int, header, own map[string]*yaml.Node) error {
	id := scalar(own["id"])
	if id == "" || len(id) > maxActor {
		return r.reject(line, fmt.Sprintf("an actor needs an id of at most %d bytes", maxActor))
	}
	c := label.Claim{
		Subject: label.Subject{Network: label.ActorNetwork, Address: id}, Label: scalar(own["label"]), By: scalar(header["creator"]), Source: scalar(own["uri"]),
		Parent: scalar(own["parent"]), Confidence: "authority_data",
	}
	c.Aliases, c.Jurisdictions = items(own["aliases"]), items(own["jurisdictions"])
	if categories := own["categories"]; categories != nil && categories.Kind == yaml.SequenceNode {
		for _, category := range categories.Content {
			if found, ok := label.ConceptOf(scalar(category)); ok && label.Broad(c.Concept) {
				c.Concept = found // the first that says what kind of organization it is
			}
		}
		c.Why = joined(c.Why, "categories: "+flat(categories))
	}
	c.Why = bound(joined(c.Why, flat(own["context"])))
	if by := scalar(own["creator"]); by != "" {
		c.By = by
	}
	stated := scalar(own["lastmod"])
	if stated == "" {
		stated = scalar(header["lastmod"])
	}
	var err error
	if c.Stated, err = moment(stated); err != nil {
		return r.reject(line, "lastmod: "+err.Error())
	}
	return r.take(line, &c)
}
