package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"coldtrail/screen/exposure"
)

// engineVersion changes whenever the same policy would decide otherwise: the score, the
// reasons of the engine's own, the meaning of a field.
const engineVersion = 1

// canonical is everything that a verdict depends on, in one spelling: JSON sorts the keys
// of maps, rules are as the parser prints them, and severities are those of every
// concept, so that a change of the taxonomy shows.
type canonical struct {
	Engine     int               `json:"engine"`
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Severities map[string]uint32 `json:"severities"`
	Levels     [4]uint32         `json:"levels"`
	Numbers    map[string]int64  `json:"numbers"`
	Assets     map[string]asset  `json:"assets"`
	Groups     []group           `json:"groups"`
	Unknown    exposure.Outcome  `json:"unknown"`
	Taint      string            `json:"taint"`
	Rules      []canonicalRule   `json:"rules"`
}

type canonicalRule struct {
	Name     string              `json:"name"`
	Why      string              `json:"why"`
	Overall  bool                `json:"overall"`
	Kinds    uint8               `json:"kinds"`
	Purposes uint8               `json:"purposes"`
	Way      exposure.Direction  `json:"way"`
	Only     uint32              `json:"only"`
	Except   uint32              `json:"except"`
	Least    int64               `json:"least"`
	Since    int64               `json:"since"`
	Until    int64               `json:"until"`
	When     string              `json:"when"`
	Outcome  [5]exposure.Outcome `json:"outcome"`
	Level    exposure.Level      `json:"level"`
}

// sum works out the digest.
func (p *Policy) sum() error {
	c := canonical{
		Engine: engineVersion, Name: p.name, Version: p.version, Severities: map[string]uint32{},
		Levels:  [4]uint32{p.levels.low, p.levels.medium, p.levels.high, p.levels.severe},
		Numbers: p.numbers.named, Assets: p.assets, Groups: p.groups, Unknown: p.unknown, Taint: p.taint,
	}
	for concept, g := range p.severities.of {
		c.Severities[concept] = g.severity
	}
	for _, r := range p.rules {
		c.Rules = append(c.Rules, canonicalRule{r.name, r.why, r.overall, r.kinds, r.mask, r.way, r.only, r.except, r.least, r.since, r.until, r.when, r.outcome, r.level})
	}
	text, err := json.Marshal(&c)
	if err != nil {
		return &Error{Reason: "no digest: " + err.Error()}
	}
	digest := sha256.Sum256(text)
	p.digest = "sha256:" + hex.EncodeToString(digest[:])
	return nil
}
