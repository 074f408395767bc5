package config

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// Text is the text of a file in UTF-8, without the byte order mark that editors
// of some systems put before it. A mark of UTF-16 says what it is to be read as.
func Text(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return data
	}
	codes := make([]uint16, len(data)/2-1)
	for i := range codes {
		codes[i] = order.Uint16(data[2*i+2:])
	}
	return []byte(string(utf16.Decode(codes)))
}
