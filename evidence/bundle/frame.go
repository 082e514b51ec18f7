package bundle

import "encoding/binary"

// The parts of a zip (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
const (
	localSignature   = 0x04034b50
	centralSignature = 0x02014b50
	endSignature     = 0x06054b50

	localSize   = 30 // without the name
	versionMade = 20 // deflate, no more
	midnight    = 0  // 00:00:00
	firstDay    = 33 // 1980-01-01, the first that a zip can state

	methodStored   = 0
	methodDeflated = 8
)

// framed is a file as the framing sees it.
type framed struct {
	name         string
	method       uint16
	crc          uint32
	packed, size uint32
}

func framedOf(e *Entry) framed {
	return framed{e.Name, e.Packed.Method, e.Packed.CRC32, e.Packed.Size, e.Size}
}

// local is what stands before a file.
func (f *framed) local() []byte {
	b := binary.LittleEndian.AppendUint32(nil, localSignature)
	return append(f.middle(b), f.name...)
}

// middle is what local headers and the directory have in common.
func (f *framed) middle(b []byte) []byte {
	for _, word := range []uint16{versionMade, 0, f.method, midnight, firstDay} {
		b = binary.LittleEndian.AppendUint16(b, word)
	}
	for _, word := range []uint32{f.crc, f.packed, f.size} {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(f.name)))
	return binary.LittleEndian.AppendUint16(b, 0) // no extra field
}

// directory is what stands after the files.
func directory(files []framed) []byte {
	var b []byte
	offset := uint32(0)
	for i := range files {
		f := &files[i]
		b = binary.LittleEndian.AppendUint32(b, centralSignature)
		b = binary.LittleEndian.AppendUint16(b, versionMade)
		b = f.middle(b)
		b = append(b, make([]byte, 10)...) // no comment, first disk, no attributes
		b = binary.LittleEndian.AppendUint32(b, offset)
		b = append(b, f.name...)
		offset += localSize + uint32(len(f.name)) + f.packed
	}
	length := uint32(len(b))
	b = binary.LittleEndian.AppendUint32(b, endSignature)
	b = binary.LittleEndian.AppendUint32(b, 0) // this disk, and the one of the directory
	b = binary.LittleEndian.AppendUint16(b, uint16(len(files)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(files)))
	b = binary.LittleEndian.AppendUint32(b, length)
	b = binary.LittleEndian.AppendUint32(b, offset)
	return binary.LittleEndian.AppendUint16(b, 0) // no comment
}
