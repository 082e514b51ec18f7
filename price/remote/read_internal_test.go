package remote

import "testing"

// FuzzRead looks for panics, and for quotes that are none, in answers of any kind.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"p":[[1,2.5,"3"]]}`), "p", "0", "1")
	f.Add([]byte(`[{"t":5,"c":{"usd":"1.5"}}]`), "", "t", "c.usd")
	f.Add([]byte(`{"p":[[`), "p", "0", "1")
	f.Fuzz(func(t *testing.T, body []byte, rows, at, closing string) {
		s := Source{Name: "a site", Asset: "bitcoin", URL: "http://x", Format: "json", Rows: rows, Time: at, Close: closing, Unit: "s", Stamps: "open", Bar: "1d"}
		if s.check() != nil {
			return
		}
		quotes, err := s.read(body)
		if err != nil {
			return
		}
		for i := range quotes {
			if err := quotes[i].Check(); err != nil {
				t.Fatalf("%+v: %v", quotes[i], err)
			}
		}
	})
}
