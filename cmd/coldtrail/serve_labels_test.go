package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// file sends a file of labels.
func (s *served) file(path, text string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/plain")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(said)
}

// listOf is what one source says in one file.
type listOf struct {
	Name, By          string
	Claims, Withdrawn int
}

// changesOf is a preview.
type changesOf struct {
	Digest, Format string
	Whole          bool
	Complete       bool
	Counts         map[string]int
	Items          []struct {
		Change, Network, Subject, Label, Before, Reason string
		Line                                            int
	}
}

// TestServeLabels: a list of sanctions is previewed, taken in, and replaced by a newer one;
// verdicts, search, lists and the audit log follow. What was not previewed is refused.
func TestServeLabels(t *testing.T) {
	data := knownStore(t)
	s := serve(t, "--data", data, "serve", "--open", "--no-owners")
	const one, two, three = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1LfjLrBDYyPbvGMiD9jURxyAupdYujsBdK", "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"
	const name = "?name=sanctioned_addresses_XBT.txt"
	preview := func(query, text string) changesOf {
		t.Helper()
		code, said := s.file("/v1/labels/preview"+query, text)
		if code != http.StatusOK {
			t.Fatalf("preview: %d %s", code, said)
		}
		return parse[changesOf](t, said)
	}
	first := one + "\n" + two + "\n"
	seen := preview(name, first)
	if seen.Format != "ofac-list" || !seen.Whole || !seen.Complete || seen.Counts["added"] != 2 || len(seen.Items) != 2 || seen.Items[0].Change != "added" || seen.Items[0].Subject != one || seen.Items[0].Network != bitcoinMain {
		t.Errorf("the preview: %+v", seen)
	}
	if got := s.screened(one); got != "none" && got != "unknown" {
		t.Errorf("a preview changed the verdict to %s", got)
	}
	for what, try := range map[string][2]string{
		"another file":   {name + "&digest=" + seen.Digest, first + three + "\n"},
		"another name":   {"?name=sanctioned_addresses_XBT.txt.txt&format=ofac-list&digest=" + seen.Digest, first},
		"another source": {name + "&by=somebody&digest=" + seen.Digest, first},
		"no preview":     {name + "&digest=sha256:00", first},
	} {
		if code, said := s.file("/v1/labels/import"+try[0], try[1]); code != http.StatusConflict {
			t.Errorf("%s: %d %s", what, code, said)
		}
	}
	if code, said := s.file("/v1/labels/import"+name+"&digest="+seen.Digest, first); code != http.StatusOK || !strings.Contains(said, `"added":2`) || !strings.Contains(said, `"claims":14`) {
		t.Fatalf("import: %d %s", code, said)
	}
	s.wait("judged by the list", func() bool { return s.screened(one) == "severe" })
	if code, said := s.file("/v1/labels/import"+name+"&digest="+seen.Digest, first); code != http.StatusConflict {
		t.Errorf("a second time: %d %s", code, said)
	}
	if again := preview(name, first); again.Counts["unchanged"] != 2 || again.Counts["added"] != 0 || len(again.Items) != 0 || !again.Complete {
		t.Errorf("nothing is new: %+v", again)
	}
	second := one + "\n" + three + "\nnonsense\n"
	seen = preview(name+"&keep_going=true", second)
	var kinds []string
	for _, item := range seen.Items {
		kinds = append(kinds, item.Change+" "+item.Subject)
	}
	if !slices.Equal(kinds, []string{"refused ", "withdrawn " + two, "added " + three}) || seen.Items[0].Line != 3 || seen.Counts["unchanged"] != 1 {
		t.Errorf("the newer list: %v", kinds)
	}
	if code, said := s.file("/v1/labels/import"+name+"&digest="+preview(name, second).Digest, second); code != http.StatusBadRequest || !strings.Contains(said, "keep_going") {
		t.Errorf("a bad row: %d %s", code, said)
	}
	if code, said := s.file("/v1/labels/import"+name+"&keep_going=true&digest="+seen.Digest, second); code != http.StatusOK {
		t.Fatalf("the newer list: %d %s", code, said)
	}
	s.wait("taken off the list", func() bool { return s.screened(two) != "severe" && s.screened(three) == "severe" })
	lists := parse[struct {
		Items  []listOf
		Claims int
	}](t, body(s, "/v1/labels/lists"))
	l := lists.Items[slices.IndexFunc(lists.Items, func(l listOf) bool { return l.Name == "sanctioned_addresses_XBT.txt" })]
	if l.Claims != 3 || l.Withdrawn != 1 || l.By != "OFAC" || lists.Claims != 16 || len(lists.Items) != 5 {
		t.Errorf("the lists: %+v", lists)
	}
	for path, part := range map[string]string{
		"/v1/labels/preview?name=x.bin": "no format recognises", "/v1/labels/preview?name=x.csv&format=magic": "format",
		"/v1/labels/preview?name=bundle.json&format=stix": "stix",
	} {
		if code, said := s.file(path, "\x00\x01"); code != http.StatusBadRequest || !strings.Contains(said, part) || strings.Contains(said, "--") {
			t.Errorf("%s: %d %s", path, code, said)
		}
	}
	s.stop()
	log := must(t, "--data", data, "verify")
	if !strings.Contains(log, "every record is as it was written") {
		t.Error(log)
	}
	entries, err := filepath.Glob(filepath.Join(data, "audit", "*.jsonl"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("no audit log: %v", err)
	}
	if text := content(t, entries[0]); strings.Count(text, "POST /v1/labels/import") != 2 || !strings.Contains(text, seen.Digest) || strings.Contains(text, "labels/preview") {
		t.Errorf("the audit log: %s", text)
	}
}

// screened is the level of an address.
func (s *served) screened(address string) string {
	s.t.Helper()
	_, text := s.get("/v1/screen?subject=" + address)
	var v struct{ Level string }
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
	return v.Level
}
