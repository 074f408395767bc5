package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// workerLimits are the conditions that end a worker.
type workerLimits struct {
	notice string        // the cloud's metadata address; "": none
	idle   time.Duration // 0: never
	price  float64       // of an hour
	most   float64       // money; 0: no limit
}

func limitFlags() []cli.Flag {
	return []cli.Flag{
		textFlag("notice", "", settings.GroupQueue, "URL", "cloud's metadata address: stop when it says that this machine will go"),
		textFlag("max-idle", "", settings.GroupQueue, "TIME", "end after this long without a job: 10m"),
		textFlag("price", "", settings.GroupQueue, "MONEY/h", "price of an hour of this machine, shared by its workers: 1.20/h"),
		textFlag("max-cost", "", settings.GroupQueue, "MONEY", "stop once this has been spent since the start, by --price"),
	}
}

// readLimits reads limitFlags.
func readLimits(c *cli.Context) (l workerLimits, bad ui.Faults) {
	l.notice = flagText(c, "notice")
	if u, err := url.Parse(l.notice); l.notice != "" && (err != nil || u.Scheme != "http" || u.Host == "") {
		bad.Add(settings.BadValue("notice", l.notice, "an address http://HOST/PATH"))
	}
	if text := flagText(c, "max-idle"); text != "" {
		var err error
		if l.idle, err = time.ParseDuration(text); err != nil || l.idle < time.Second {
			bad.Add(settings.BadValue("max-idle", text, "a time from 1s"))
		}
	}
	money := func(name, unit string) float64 {
		text := flagText(c, name)
		if text == "" {
			return 0
		}
		n, err := strconv.ParseFloat(strings.TrimSuffix(text, unit), 64)
		if err != nil || !(n > 0 && n < 1e6) || !strings.HasSuffix(text, unit) {
			bad.Add(settings.BadValue(name, text, "an amount such as 1.20"+unit))
		}
		return n
	}
	l.price, l.most = money("price", "/h"), money("max-cost", "")
	if l.most > 0 && flagText(c, "price") == "" {
		bad.Add(ui.UsageFault("--max-cost needs the price of an hour", "--price 1.20/h --max-cost "+flagText(c, "max-cost")))
	}
	return l, bad
}

// bind returns a context that ends with ctx, at the cloud's notice, or when the
// machine has cost enough; say is told why.
func (l workerLimits) bind(ctx context.Context, say func(string)) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if l.notice != "" {
		go func() {
			if farm.Notice(ctx, l.notice, func(err error) { say(fmt.Sprintf("no notice can be had: %v; asking on", err)) }) == nil {
				say("this machine will be taken away")
				cancel()
			}
		}()
	}
	if l.most > 0 {
		spent := time.AfterFunc(time.Duration(l.most/l.price*float64(time.Hour)), func() {
			say(fmt.Sprintf("the machine has cost %.2f", l.most))
			cancel()
		})
		context.AfterFunc(ctx, func() { spent.Stop() })
	}
	return ctx, cancel
}
