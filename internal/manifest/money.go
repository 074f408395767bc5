package manifest

import (
	"slices"
	"strconv"
	"strings"
)

// File is the content of a manifest.
type File struct {
	Entries []Entry
	// Price is what an hour of a machine costs, by class; "" is the key of any class.
	Price map[string]float64
	// Budget is how much the jobs may cost together; 0: no bound.
	Budget float64
}

// Money reads an amount, with a unit after it: "1.20/h".
func Money(text, unit string) (float64, bool) {
	number, ok := strings.CutSuffix(text, unit)
	n, err := strconv.ParseFloat(number, 64)
	return n, ok && err == nil && n > 0 && n < 1e6
}

func (r *reader) readBudget(n *node) {
	amount, ok := Money(r.one(n), "")
	if n.kind == isText && !ok {
		r.fault(n, "a budget is an amount of money such as 20, got %q", n.text)
	}
	r.file.Budget = amount
}

// readPrice reads one price, or one for each class.
func (r *reader) readPrice(n *node) {
	r.file.Price = map[string]float64{}
	price := func(class string, n *node) {
		amount, ok := Money(r.one(n), "/h")
		if n.kind == isText && !ok {
			r.fault(n, "a price is an amount for an hour such as 1.20/h, got %q", n.text)
		}
		r.file.Price[class] = amount
	}
	if n.kind != isMap {
		price("", n)
		return
	}
	for _, p := range n.pairs {
		if !slices.Contains(r.vocabulary.Classes, p.key.text) {
			r.unknown(p.key, "class", slices.Clone(r.vocabulary.Classes))
			continue
		}
		price(p.key.text, p.value)
	}
}

// PriceOf returns the price of an hour of a machine for a class, or 0 if the file
// has none.
func (f File) PriceOf(class string) float64 {
	if price, ok := f.Price[class]; ok {
		return price
	}
	return f.Price[""]
}
