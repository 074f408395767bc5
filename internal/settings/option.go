package settings

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// optionNames lists the JSON names of the fields of style.Options.
func optionNames() []string { return style.OptionNames() }

// SetOption sets an option to a value given as text. It checks that the value has
// the option's type. Package style checks that it makes sense.
func SetOption(o *style.Options, name, text string) error {
	text = strings.TrimSpace(text)
	switch p := o.Field(name).(type) {
	case nil:
		return ui.UsageFault(fmt.Sprintf("unknown option %q", name))
	case *string:
		*p = text
	case *bool:
		return set(p, name, text, "yes or no", ParseSwitch)
	case *float64:
		return set(p, name, text, "a number", ParseNumber)
	case *int:
		return set(p, name, text, "a whole number", parseInt)
	case *uint64:
		return set(p, name, text, "a whole number from 0", parseUint)
	case *[]float64:
		return set(p, name, text, "numbers between commas, such as 3,7", listOf(ParseNumber))
	case *[]int:
		return set(p, name, text, "whole numbers between commas, such as 500,200", listOf(parseInt))
	case *[]style.LayerWeight:
		layers, err := style.ParseLayers(text)
		if err != nil {
			return ui.UsageFault(fmt.Sprintf("--%s %q: %v", name, text, err), "--"+name+" relu3_1,relu4_1:0.5")
		}
		*p = layers
	case encoding.TextUnmarshaler:
		if err := p.UnmarshalText([]byte(text)); err != nil {
			return ui.UsageFault(fmt.Sprintf("--%s: %v", name, err))
		}
	default:
		v := reflect.ValueOf(p).Elem() // a type of strings
		if v.Kind() == reflect.String {
			v.SetString(text)
		}
	}
	return nil
}

// set sets an option to the value that parse reads. want describes that value.
func set[T any](p *T, name, text, want string, parse func(string) (T, bool)) error {
	v, ok := parse(text)
	if !ok {
		return BadValue(name, text, want)
	}
	*p = v
	return nil
}

func parseInt(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func parseUint(text string) (uint64, bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}

// OptionText returns an option's value in the form SetOption reads.
func OptionText(o *style.Options, name string) string {
	field := o.Field(name)
	if field == nil {
		return ""
	}
	switch v := reflect.ValueOf(field).Elem().Interface().(type) {
	case float64:
		return formatNumber(v)
	case []float64:
		return joinText(v, formatNumber)
	case []int:
		return joinText(v, strconv.Itoa)
	case []style.LayerWeight:
		return joinText(v, style.LayerWeight.String)
	default:
		return fmt.Sprint(v)
	}
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func joinText[T any](list []T, text func(T) string) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = text(v)
	}
	return strings.Join(words, ",")
}

// SplitList splits a list at commas and spaces.
func SplitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// listOf returns a function that reads a list of values with parse.
func listOf[T any](parse func(string) (T, bool)) func(text string) ([]T, bool) {
	return func(text string) ([]T, bool) {
		list := []T{}
		for _, word := range SplitList(text) {
			v, ok := parse(word)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	}
}

// ParseNumber reads a real number. It accepts NaN and infinity, because the range
// check of the option has a better message for them.
func ParseNumber(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil || math.IsInf(v, 0)
}
