package main

import (
	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// priceFlag and budgetFlag replace the manifest's price and budget.
func priceFlag(help string) cli.Flag {
	return textFlag("price", "", settings.GroupQueue, "MONEY/h", help)
}

func budgetFlag(help string) cli.Flag {
	return textFlag("budget", "", settings.GroupQueue, "MONEY", help)
}

// money reads an amount of money with a unit after it. It returns 0 if the flag was
// not given.
func money(c *cli.Context, name, unit, example string, bad *ui.Faults) float64 {
	text := flagText(c, name)
	if text == "" {
		return 0
	}
	amount, ok := manifest.Money(text, unit)
	if !ok {
		bad.Add(settings.BadValue(name, text, "an amount such as "+example))
	}
	return amount
}

// moneyTerms reads --price and --budget.
func moneyTerms(c *cli.Context) (t batch.Terms, err error) {
	var bad ui.Faults
	if price := money(c, "price", "/h", "1.20/h", &bad); price > 0 {
		t.Price = func(string) float64 { return price }
	}
	t.Budget = money(c, "budget", "", "20", &bad)
	return t, bad.Err()
}
