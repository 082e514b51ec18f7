package parquet

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxFiles bounds a folder; a data set of ten years of days has some twenty thousand.
const maxFiles = 1_000_000

// place is a file and the part of the chain that its name says it holds.
type place struct {
	path string
	part part
}

// part is what a file's name says it holds: a range of blocks, or the name of a
// partition ("date=2022-01-01", or the file's own name in an export of ours).
type part struct {
	name     string
	from, to uint64 // both included, where ranged
	ranged   bool
}

// listing is what a folder holds.
type listing struct {
	files  [tableCount][]place
	unread []string // notes about tables that are there but not read
}

// rangeName is the end of the name of a file of cryo: the blocks it holds.
var rangeName = regexp.MustCompile(`^(\d+)_to_(\d+)(?:__.*)?$`)

// ownName is the name of a file of an export of ours.
var ownName = regexp.MustCompile("^" + partPrefix + `\d{6}$`)

// find lists the Parquet files of a folder by table.
func find(folder string) (*listing, error) {
	l := &listing{}
	unread := map[string]bool{}
	count := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".parquet") || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return err
		}
		if count++; count > maxFiles {
			return &Error{File: folder, Reason: fmt.Sprintf("more than %d files", maxFiles)}
		}
		inside, err := filepath.Rel(folder, path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		name, at := classify(filepath.ToSlash(inside))
		if t := slices.Index(tableNames[:], name); t >= 0 {
			l.files[t] = append(l.files[t], place{path, at})
		} else {
			unread[name] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, &Error{File: folder, Reason: "no file in the folder ends in .parquet"}
	}
	for name := range unread {
		switch name {
		case "contracts":
		case "native_transfers":
			l.unread = append(l.unread, "native_transfers is not read: it prints delegated calls, which move nothing, like calls that do; use the table traces")
		default:
			l.unread = append(l.unread, name+" is not read: no table of that name is known")
		}
	}
	slices.Sort(l.unread)
	return l, nil
}

// classify gives the name of a file's table, and the part that the file holds. cryo
// writes NETWORK__TABLE__FROM_to_TO.parquet; others give tables a folder, or a file.
func classify(inside string) (string, part) {
	elements := strings.Split(strings.TrimSuffix(inside, ".parquet"), "/")
	base := elements[len(elements)-1]
	if words := strings.Split(base, "__"); len(words) >= 3 {
		at := part{name: base}
		if m := rangeName.FindStringSubmatch(strings.Join(words[2:], "__")); m != nil {
			from, errFrom := strconv.ParseUint(m[1], 10, 63)
			to, errTo := strconv.ParseUint(m[2], 10, 63)
			if errFrom == nil && errTo == nil {
				at = part{name: "blocks " + m[1] + " to " + m[2], from: from, to: to, ranged: true}
			}
		}
		return words[1], at
	}
	at := part{}
	for _, e := range elements[:len(elements)-1] {
		if strings.HasPrefix(e, "date=") {
			at.name = e
		}
	}
	for i, e := range elements {
		if slices.Contains(tableNames[:], e) || e == "contracts" {
			if at.name == "" && i < len(elements)-1 && ownName.MatchString(base) {
				at.name = base
			}
			return e, at
		}
	}
	return strings.Join(elements, "/"), at
}

// uncovered is a part that the blocks have and a table has not; empty if none.
func uncovered(have, table []*file) string {
	var ranges []part
	names := map[string]bool{}
	for _, f := range table {
		names[f.part.name] = true
		if f.part.ranged {
			ranges = append(ranges, f.part)
		}
	}
	slices.SortFunc(ranges, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	for _, f := range have {
		if f.part.ranged && !within(f.part, ranges) || !f.part.ranged && f.part.name != "" && !names[f.part.name] {
			return f.part.name
		}
	}
	if len(have) > 0 && len(table) == 0 {
		return "any block"
	}
	return ""
}

// within says that sorted ranges cover a part without a gap.
func within(p part, ranges []part) bool {
	next := p.from
	for _, r := range ranges {
		if r.from <= next && next <= r.to {
			next = r.to + 1
		}
		if next > p.to {
			return true
		}
	}
	return false
}

func byLowest(files []*file) {
	slices.SortStableFunc(files, func(a, b *file) int { return cmp.Compare(a.lowest, b.lowest) })
}
