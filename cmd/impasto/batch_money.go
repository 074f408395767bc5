package main

import (
	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/manifest"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// priceFlag and budgetFlag take the place of the manifest's price and budget.
func priceFlag(help string) cli.Flag {
	return textFlag("price", "", settings.GroupQueue, "MONEY/h", help)
}

func budgetFlag(help string) cli.Flag {
	return textFlag("budget", "", settings.GroupQueue, "MONEY", help)
}

// moneyTerms reads --price and --budget.
func moneyTerms(c *cli.Context) (t batch.Terms, err error) {
	var bad ui.Faults
	if text := flagText(c, "price"); text != "" {
		price, ok := manifest.Money(text, "/h")
		if !ok {
			bad.Add(settings.BadValue("price", text, "an amount such as 1.20/h"))
		}
		t.Price = func(string) float64 { return price }
	}
	if text := flagText(c, "budget"); text != "" {
		var ok bool
		if t.Budget, ok = manifest.Money(text, ""); !ok {
			bad.Add(settings.BadValue("budget", text, "an amount such as 20"))
		}
	}
	return t, bad.Err()
}

// checkBudget refuses a budget that nothing can be measured by, or that nobody
// watches.
func checkBudget(c *cli.Context, b *batch.Batch, watched bool) error {
	if b.Terms.Budget == 0 {
		return nil
	}
	var bad ui.Faults
	for _, j := range b.Jobs {
		if j.Price == 0 {
			bad.Add(ui.UsageFault("a budget needs the price of an hour of a worker of class "+j.Class, "--price 1.20/h", "price: 1.20/h   (in the manifest)"))
			break
		}
	}
	if !watched {
		bad.Add(ui.UsageFault("a budget is watched by the command that waits for the jobs", "impasto batch submit "+ui.ShellQuote(c.Args().First())+" --wait"))
	}
	return bad.Err()
}
