package farm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// noticeEvery is how often a metadata address is asked. The shortest notice of the
// large clouds is 30 seconds.
const noticeEvery = 5 * time.Second

// Notice asks a cloud's metadata address whether this machine is about to be taken
// away, until it says so (nil) or ctx ends. It knows the answers of
//
//	http://169.254.169.254/latest/meta-data/spot/instance-action            (Amazon: nothing there, or an action)
//	http://metadata.google.internal/computeMetadata/v1/instance/preempted   (Google: FALSE or TRUE)
//	http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01  (Azure: a list of events)
//
// An address that does not answer counts as no notice. log gets that once; may be nil.
func Notice(ctx context.Context, address string, log func(error)) error {
	return notice(ctx, address, noticeEvery, log)
}

func notice(ctx context.Context, address string, every time.Duration, log func(error)) error {
	client := &http.Client{Timeout: noticeEvery, Transport: &http.Transport{Proxy: nil}} // the address belongs to this machine
	token := ""
	for {
		taken, err := askNotice(ctx, client, address, &token)
		if taken {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && log != nil {
			log(err)
			log = nil
		}
		pause(ctx, every)
	}
}

// askNotice asks once. Amazon may require a token, which is requested from the same
// host.
func askNotice(ctx context.Context, client *http.Client, address string, token *string) (bool, error) {
	for range 2 {
		code, body, err := askMetadata(ctx, client, http.MethodGet, address, *token)
		switch {
		case err != nil:
			return false, err
		case code == http.StatusUnauthorized:
			at, err := url.Parse(address)
			if err != nil {
				return false, err
			}
			at.Path, at.RawQuery = "/latest/api/token", ""
			if code, *token, err = askMetadata(ctx, client, http.MethodPut, at.String(), ""); err != nil || code != http.StatusOK {
				*token = ""
				return false, errors.Join(errors.New("the metadata address wants a token and gives none"), err)
			}
			continue
		case code == http.StatusNotFound: // Amazon: no action is planned
			return false, nil
		case code != http.StatusOK:
			return false, errors.New("the metadata address answers " + http.StatusText(code))
		}
		return isNotice(body), nil
	}
	return false, errors.New("the metadata address takes no token")
}

func askMetadata(ctx context.Context, client *http.Client, method, address, token string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Metadata-Flavor", "Google")
	r.Header.Set("Metadata", "true")
	if method == http.MethodPut {
		r.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "21600")
	}
	if token != "" {
		r.Header.Set("X-aws-ec2-metadata-token", token)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, strings.TrimSpace(string(body)), err
}

// isNotice reads an answer of any of the clouds.
func isNotice(body string) bool {
	if strings.EqualFold(body, "TRUE") {
		return true
	}
	var answer struct {
		Action string `json:"action"` // Amazon: stop, terminate, hibernate
		Events []struct{ EventType string }
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return false
	}
	if answer.Action != "" {
		return true
	}
	for _, e := range answer.Events {
		if e.EventType == "Preempt" || e.EventType == "Terminate" {
			return true
		}
	}
	return false
}
