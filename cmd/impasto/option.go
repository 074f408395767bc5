package main

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

// setOption sets the option called name to what the user wrote. Whether the
// value makes sense is style's to say; here it only has to be of its kind.
func setOption(o *style.Options, name, text string) error {
	text = strings.TrimSpace(text)
	switch p := o.Field(name).(type) {
	case nil:
		return ui.UsageFault(fmt.Sprintf("unknown option %q", name))
	case *string:
		*p = text
	case *bool:
		v, ok := parseSwitch(text)
		if !ok {
			return badValue(name, text, "yes or no")
		}
		*p = v
	case *float64:
		v, ok := parseNumber(text)
		if !ok {
			return badValue(name, text, "a number")
		}
		*p = v
	case *int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return badValue(name, text, "a whole number")
		}
		*p = v
	case *uint64:
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return badValue(name, text, "a whole number from 0")
		}
		*p = v
	case *[]float64:
		list := []float64{}
		for _, word := range fields(text) {
			v, ok := parseNumber(word)
			if !ok {
				return badValue(name, text, "numbers between commas, such as 3,7")
			}
			list = append(list, v)
		}
		*p = list
	case *[]int:
		list := []int{}
		for _, word := range fields(text) {
			v, err := strconv.Atoi(word)
			if err != nil {
				return badValue(name, text, "whole numbers between commas, such as 500,200")
			}
			list = append(list, v)
		}
		*p = list
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
	}
	return nil
}

// optionText writes the option called name as the user would.
func optionText(o *style.Options, name string) string {
	field := o.Field(name)
	if field == nil {
		return ""
	}
	switch v := reflect.ValueOf(field).Elem().Interface().(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []float64:
		return join(v, func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) })
	case []int:
		return join(v, strconv.Itoa)
	case []style.LayerWeight:
		return join(v, style.LayerWeight.String)
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

func join[T any](list []T, text func(T) string) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = text(v)
	}
	return strings.Join(words, ",")
}

func fields(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// parseNumber reads a real number. NaN and infinity pass: the range check of
// the option names them better than "not a number" would.
func parseNumber(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

func parseSwitch(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, true
	case "false", "no", "off", "0":
		return false, true
	}
	return false, false
}

func badValue(name, text, want string) *ui.Fault {
	return ui.UsageFault(fmt.Sprintf("--%s takes %s, got %q", name, want, text))
}
