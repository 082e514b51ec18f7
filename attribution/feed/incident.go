package feed

import (
	"bytes"
	"io"

	"coldtrail/attribution/label"
)

// Incident is a case file: who is held responsible for a theft, and who says so. What
// was stolen is the trace's affair.
var Incident = &Feed{
	Name: "case", Title: "case file of Coldtrail, for whom a theft is attributed to (YAML)",
	recognises: func(name string, head []byte) bool {
		return isYAML(name) && (bytes.HasPrefix(head, []byte("case:")) || bytes.Contains(head, []byte("\ncase:"))) && !bytes.Contains(head, []byte("\ntags:"))
	},
	read: readIncident,
}

// incidentConfidence maps the words of case files to confidences.
var incidentConfidence = map[string]string{"high": "authority_data", "medium": "trusted_provider", "low": "heuristic"}

func readIncident(r *reading, from io.Reader) error {
	root, err := parseYAML(from)
	if err != nil {
		return err
	}
	top, err := fields(root)
	if err != nil {
		return err
	}
	who := top["attributed_to"]
	if who == nil {
		return r.reject(root.Line, "the case is attributed to nobody (attributed_to: {actor, by, confidence})")
	}
	to, err := fields(who)
	if err != nil {
		return err
	}
	c := label.Claim{
		Subject: label.Subject{Network: label.IncidentNetwork, Address: scalar(top["case"])}, Label: scalar(top["title"]), Actor: scalar(to["actor"]),
		By: scalar(to["by"]), Source: scalar(to["source"]), Confidence: incidentConfidence[scalar(to["confidence"])], Concept: "service_hack",
	}
	if c.Label == "" {
		c.Label = c.Subject.Address
	}
	if c.From, err = moment(scalar(top["date"])); err != nil {
		return r.reject(who.Line, "date: "+err.Error())
	}
	if c.Stated, err = moment(scalar(to["date"])); err != nil {
		return r.reject(who.Line, "attributed_to.date: "+err.Error())
	}
	if c.Subject.Address == "" || c.Actor == "" {
		return r.reject(who.Line, "a case that is attributed needs case and attributed_to.actor")
	}
	return r.take(who.Line, &c)
}
