package feed

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"coldtrail/attribution/label"
)

// The Specially Designated Nationals list of the United States' Office of Foreign
// Assets Control, in each of its forms. Source: OFAC, "Specially Designated Nationals
// List - Data Formats & Data Schemas".
var (
	// OFACCSV is sdn.csv, and sdn_comments.csv with what did not fit.
	OFACCSV = &Feed{
		Name: "ofac-csv", Title: "OFAC SDN, CSV",
		recognises: func(name string, head []byte) bool {
			return strings.HasPrefix(path.Base(name), "sdn") && strings.HasSuffix(name, ".csv") && !bytes.HasPrefix(head, []byte("address"))
		},
		read: readOFACCSV,
	}
	// OFACXML is sdn.xml.
	OFACXML = &Feed{
		Name: "ofac-xml", Title: "OFAC SDN, XML",
		recognises: func(_ string, head []byte) bool { return bytes.Contains(head, []byte("<sdnList")) },
		read:       readOFACXML,
	}
	// OFACAdvanced is sdn_advanced.xml.
	OFACAdvanced = &Feed{
		Name: "ofac-advanced", Title: "OFAC SDN, advanced XML",
		recognises: func(_ string, head []byte) bool {
			return bytes.Contains(head, []byte("<Sanctions")) && bytes.Contains(head, []byte("DateOfIssue"))
		},
		read: readOFACAdvanced,
	}
	// OFACList is a text of addresses with the currency in the file's name, as
	// 0xB10C/ofac-sanctioned-digital-currency-addresses publishes them.
	OFACList = &Feed{
		Name: "ofac-list", Title: "OFAC addresses, one file for each currency",
		recognises: func(name string, _ []byte) bool {
			return strings.HasPrefix(path.Base(name), "sanctioned_addresses_") && strings.HasSuffix(name, ".txt")
		},
		read: readOFACList,
	}
)

const (
	ofacName   = "OFAC"
	ofacSource = "https://sanctionslist.ofac.treas.gov/"
	ofacWord   = "Digital Currency Address - "
)

// ofac is a claim of the list.
func ofac(name, program string) *label.Claim {
	why := ""
	if program != "" {
		why = "program " + program
	}
	return &label.Claim{Label: name, By: ofacName, Source: ofacSource, Abuse: "sanction", Confidence: "authority_data", Why: bound(why)}
}

// readOFACCSV reads rows of ent_num, name, type, program, title, call sign, vessel
// type, tonnage, grt, flag, owner, remarks; "-0-" stands for nothing.
func readOFACCSV(r *reading, from io.Reader) error {
	rows := csv.NewReader(&bounded{from: from, mark: '\n'})
	rows.FieldsPerRecord, rows.LazyQuotes = -1, true
	r.out.Snapshot = true
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := rows.FieldPos(0)
		name, program, remarks := "", "", row[len(row)-1]
		if len(row) > 3 {
			name, program = strings.TrimSpace(row[1]), strings.TrimSpace(row[3])
		}
		if name == "" {
			name = "SDN " + strings.TrimSpace(row[0])
		}
		if err := r.remarks(line, name, program, remarks); err != nil {
			return err
		}
	}
}

// remarks finds "Digital Currency Address - XBT 1abc…;" in free text.
func (r *reading) remarks(line int, name, program, text string) error {
	for {
		_, rest, ok := strings.Cut(text, ofacWord)
		if !ok {
			return nil
		}
		text = rest
		words := strings.Fields(rest)
		if len(words) < 2 {
			if err := r.reject(line, "a digital currency address without currency or address"); err != nil {
				return err
			}
			continue
		}
		if err := r.add(line, words[0], strings.TrimRight(words[1], ";.,"), ofac(name, program)); err != nil {
			return err
		}
	}
}

// sdnEntry is an entry of sdn.xml.
type sdnEntry struct {
	UID       string   `xml:"uid"`
	LastName  string   `xml:"lastName"`
	FirstName string   `xml:"firstName"`
	Programs  []string `xml:"programList>program"`
	IDs       []struct {
		Type   string `xml:"idType"`
		Number string `xml:"idNumber"`
	} `xml:"idList>id"`
	Aliases []struct {
		LastName  string `xml:"lastName"`
		FirstName string `xml:"firstName"`
	} `xml:"akaList>aka"`
}

func readOFACXML(r *reading, from io.Reader) error {
	d := newXML(from)
	r.out.Snapshot = true
	for {
		start, line, err := d.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch start.Name.Local {
		case "Publish_Date":
			var date string
			if err := d.DecodeElement(&date, start); err != nil {
				return err
			}
			r.out.Stated, _ = moment(date) // a list without a date is a list all the same
		case "sdnEntry":
			var e sdnEntry
			if err := d.DecodeElement(&e, start); err != nil {
				return err
			}
			if err := r.sdn(line, &e); err != nil {
				return err
			}
		}
	}
}

func (r *reading) sdn(line int, e *sdnEntry) error {
	name := strings.TrimSpace(e.FirstName + " " + e.LastName)
	if name == "" {
		name = "SDN " + e.UID
	}
	for _, id := range e.IDs {
		currency, ok := strings.CutPrefix(id.Type, ofacWord)
		if !ok {
			continue
		}
		c := ofac(name, strings.Join(e.Programs, ", "))
		c.Stated = r.out.Stated
		for i, alias := range e.Aliases {
			if i < 8 {
				c.Why = bound(joined(c.Why, "also "+strings.TrimSpace(alias.FirstName+" "+alias.LastName)))
			}
		}
		if err := r.add(line, currency, id.Number, c); err != nil {
			return err
		}
	}
	return nil
}

// xmlReader reads a document element by element, without entities of its own.
type xmlReader struct{ *xml.Decoder }

func newXML(from io.Reader) xmlReader {
	d := xml.NewDecoder(bufio.NewReader(&bounded{from: from, mark: '<'}))
	d.Entity = nil
	return xmlReader{d}
}

// next is the next element that begins.
func (d xmlReader) next() (*xml.StartElement, int, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return nil, 0, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			line, _ := d.InputPos()
			return &t, line, nil
		case xml.Directive:
			if bytes.Contains(t, []byte("ENTITY")) {
				return nil, 0, errors.New("entities are refused")
			}
		}
	}
}

// The parts of the advanced list that matter here.
type (
	advancedType struct {
		ID   string `xml:"ID,attr"`
		Text string `xml:",chardata"`
	}
	advancedParty struct {
		Profile struct {
			ID    string `xml:"ID,attr"`
			Names []struct {
				Primary string   `xml:"Primary,attr"`
				Parts   []string `xml:"DocumentedName>DocumentedNamePart>NamePartValue"`
			} `xml:"Identity>Alias"`
			Features []struct {
				Type  string   `xml:"FeatureTypeID,attr"`
				Texts []string `xml:"FeatureVersion>VersionDetail"`
			} `xml:"Feature"`
		} `xml:"Profile"`
	}
	advancedEntry struct {
		Profile string `xml:"ProfileID,attr"`
		Events  []struct {
			Year  int `xml:"Date>Year"`
			Month int `xml:"Date>Month"`
			Day   int `xml:"Date>Day"`
		} `xml:"EntryEvent"`
		Measures []string `xml:"SanctionsMeasure>Comment"`
	}
)

// found is an address of the advanced list before its entry, which comes later and says
// since when.
type found struct {
	line              int
	currency, address string
	name, profile     string
}

// advanced is the advanced list while it is read.
type advanced struct {
	types   map[string]string // currency by feature type
	found   []found
	entries map[string]*advancedEntry // by profile
}

func readOFACAdvanced(r *reading, from io.Reader) error {
	d := newXML(from)
	r.out.Snapshot = true
	list := advanced{types: map[string]string{}, entries: map[string]*advancedEntry{}}
	for {
		start, line, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = list.element(d, start, line)
		}
		if err != nil {
			return err
		}
	}
	for i := range list.found {
		f := &list.found[i]
		c := ofac(f.name, "")
		if e := list.entries[f.profile]; e != nil {
			c.Why = bound(strings.Join(e.Measures, ", "))
			if len(e.Events) > 0 {
				c.From, _ = moment(fmt.Sprintf("%04d-%02d-%02d", e.Events[0].Year, e.Events[0].Month, e.Events[0].Day))
			}
		}
		if err := r.add(f.line, f.currency, f.address, c); err != nil {
			return err
		}
	}
	return nil
}

// element reads the elements that matter.
func (l *advanced) element(d xmlReader, start *xml.StartElement, line int) error {
	switch start.Name.Local {
	case "FeatureType":
		var t advancedType
		if err := d.DecodeElement(&t, start); err != nil {
			return err
		}
		if currency, ok := strings.CutPrefix(t.Text, ofacWord); ok {
			l.types[t.ID] = currency
		}
	case "DistinctParty":
		var p advancedParty
		if err := d.DecodeElement(&p, start); err != nil {
			return err
		}
		l.found = append(l.found, p.addresses(line, l.types)...)
	case "SanctionsEntry":
		e := &advancedEntry{}
		if err := d.DecodeElement(e, start); err != nil {
			return err
		}
		l.entries[e.Profile] = e
	}
	return nil
}

func (p *advancedParty) addresses(line int, types map[string]string) (list []found) {
	name := "SDN profile " + p.Profile.ID
	for _, alias := range p.Profile.Names {
		if alias.Primary == "true" && len(alias.Parts) > 0 {
			name = strings.Join(alias.Parts, " ")
		}
	}
	for _, feature := range p.Profile.Features {
		currency, ok := types[feature.Type]
		for _, text := range feature.Texts {
			if ok && strings.TrimSpace(text) != "" {
				list = append(list, found{line, currency, strings.TrimSpace(text), name, p.Profile.ID})
			}
		}
	}
	return list
}

func readOFACList(r *reading, from io.Reader) error {
	currency := strings.TrimSuffix(path.Base(r.out.File), path.Ext(r.out.File))
	currency = currency[strings.LastIndexByte(currency, '_')+1:]
	r.out.Snapshot = true
	return lines(from, func(line int, text string) error {
		if text == "" || text[0] == '#' {
			return nil
		}
		return r.add(line, currency, text, ofac("OFAC SDN", ""))
	})
}

// lines visits the lines of a text, without blanks around them.
func lines(from io.Reader, visit func(line int, text string) error) error {
	source := &bounded{from: from, mark: '\n'}
	s := bufio.NewScanner(source)
	s.Buffer(make([]byte, 0, 64<<10), maxRun+1)
	for line := 1; s.Scan(); line++ {
		if source.refused != nil {
			return source.refused // what came before it may be half a line
		}
		if err := visit(line, strings.TrimSpace(s.Text())); err != nil {
			return err
		}
	}
	return s.Err()
}
