package document

import (
	"slices"
	"strconv"
	"strings"
)

// numbering numbers sources in the order in which a document names them.
type numbering struct {
	list []Source
	of   map[Source]int
}

// number is the number of a source.
func (n *numbering) number(s Source) int {
	if k, ok := n.of[s]; ok {
		return k
	}
	n.list = append(n.list, s)
	n.of[s] = len(n.list)
	return len(n.list)
}

// numbers are those of several, in ranges, such as "1, 4–9".
func (n *numbering) numbers(all []Source) string {
	list := make([]int, len(all))
	for i, s := range all {
		list[i] = n.number(s)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := strconv.Itoa(list[i])
		switch {
		case j == i+1:
			part += ", " + strconv.Itoa(list[j])
		case j > i:
			part += "–" + strconv.Itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
