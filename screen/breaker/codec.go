package breaker

import (
	"encoding/binary"
	"slices"
)

// codec writes values into bytes, or reads them back in the same order, so that one
// description of what is kept serves both ways.
type codec struct {
	data    []byte
	reading bool
	bad     bool
}

// unsigned is a number.
func (c *codec) unsigned(x *uint64) {
	if !c.reading {
		c.data = binary.AppendUvarint(c.data, *x)
		return
	}
	value, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.bad, c.data = true, nil
		return
	}
	*x, c.data = value, c.data[n:]
}

// signed is a number that may be negative.
func (c *codec) signed(x *int64) {
	value := uint64(*x<<1) ^ uint64(*x>>63)
	c.unsigned(&value)
	if c.reading {
		*x = int64(value>>1) ^ -int64(value&1)
	}
}

// require says that what was read makes no sense unless everything holds.
func (c *codec) require(all ...bool) {
	if c.reading && slices.Contains(all, false) {
		c.bad, c.data = true, nil
	}
}

func (c *codec) flag(x *bool) {
	value := uint64(0)
	if *x {
		value = 1
	}
	c.unsigned(&value)
	*x = value == 1
}

func (c *codec) text(x *string) {
	n := c.count(len(*x))
	if !c.reading {
		c.data = append(c.data, *x...)
		return
	}
	*x, c.data = string(c.data[:n]), c.data[n:]
}

// count is how many values follow. Each takes at least one byte, so that a number beyond
// what is left is wrong.
func (c *codec) count(n int) int {
	value := uint64(n)
	c.unsigned(&value)
	if c.reading && value > uint64(len(c.data)) {
		c.bad, c.data = true, nil
		return 0
	}
	return int(value)
}

// each goes over a list, which is made first when it is read.
func each[T any](c *codec, list *[]T, value func(*T)) {
	n := c.count(len(*list))
	if c.reading {
		*list = nil
	}
	for i := range n {
		if c.bad {
			return
		}
		if c.reading {
			var zero T
			*list = append(*list, zero)
		}
		value(&(*list)[i])
	}
}
