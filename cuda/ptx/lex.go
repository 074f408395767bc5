package ptx

import (
	"fmt"
	"strings"
)

type kind uint8

const (
	eof kind = iota
	word
	number
	str
	punct
)

// token is a word (directive, opcode with its modifiers, register, label), a
// number, a string or one punctuation character.
type token struct {
	kind kind
	text string
	line int
}

func (t token) String() string {
	if t.kind == eof {
		return "end of file"
	}
	return fmt.Sprintf("%q", t.text)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c == '%' || c == '.'
}

// lex splits src into tokens, without comments. Dots and "::" are parts of words,
// so "ld.global.v4.f32", "%tid.x" and ".L1::no_allocate" are one token each.
func lex(src string) ([]token, error) {
	tokens := make([]token, 0, len(src)/4)
	line := 1
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(src[i:], "//"):
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case strings.HasPrefix(src[i:], "/*"):
			end := strings.Index(src[i+2:], "*/")
			if end < 0 {
				return nil, &Error{Line: line, Text: "comment is not closed"}
			}
			line += strings.Count(src[i:i+2+end], "\n")
			i += end + 4
		case c == '"':
			end := strings.IndexAny(src[i+1:], "\"\n")
			if end < 0 || src[i+1+end] != '"' {
				return nil, &Error{Line: line, Text: "string is not closed"}
			}
			tokens = append(tokens, token{str, src[i+1 : i+1+end], line})
			i += end + 2
		case isWord(c):
			start := i
			for i < len(src) && (isWord(src[i]) || strings.HasPrefix(src[i:], "::") && i+2 < len(src) && isWord(src[i+2])) {
				if src[i] == ':' {
					i++
				}
				i++
			}
			k := word
			if isDigit(c) {
				k = number
				// 1.5e-3: the sign belongs to the exponent of a decimal float.
				if i < len(src) && (src[i] == '-' || src[i] == '+') && (src[i-1] == 'e' || src[i-1] == 'E') &&
					strings.Contains(src[start:i], ".") {
					for i++; i < len(src) && isDigit(src[i]); i++ {
					}
				}
			}
			tokens = append(tokens, token{k, src[start:i], line})
		case strings.IndexByte(",;:{}[]()<>+-*/=!|@&^~?", c) >= 0:
			tokens = append(tokens, token{punct, src[i : i+1], line})
			i++
		default:
			return nil, &Error{Line: line, Text: fmt.Sprintf("unexpected character %q", c)}
		}
	}
	return append(tokens, token{eof, "", line}), nil
}

// Error is a fault of the text at a line, counted from 1.
type Error struct {
	Line int
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("ptx line %d: %s", e.Line, e.Text) }
