package render

import (
	"strings"
	"testing"
)

// TestVerifyAcrossDevices: what differs no more than devices do holds, and names
// them; nothing else does.
func TestVerifyAcrossDevices(t *testing.T) {
	near, far := 48.2, 21.5
	for name, c := range map[string]struct {
		v       Verified
		holds   bool
		message string
	}{
		"same":                   {Verified{Output: "a.png", Pixels: true, File: true, Then: "cpu", Now: "cpu"}, true, "byte for byte"},
		"another device":         {Verified{Output: "a.png", Then: "cuda sm_80 in f16", Now: "cpu", PSNR: &near, intact: true}, true, "painted on cuda sm_80 in f16 then and on cpu now, 48.2 dB apart; devices may be 35 dB apart"},
		"too far":                {Verified{Output: "a.png", Then: "cuda sm_80", Now: "cpu", PSNR: &far, intact: true}, false, "21.5 dB apart; it was painted on cuda sm_80 then and on cpu now, which may be 35 dB apart"},
		"the same device":        {Verified{Output: "a.png", Then: "cpu", Now: "cpu", PSNR: &near, intact: true}, false, "other pixels came out than the recipe says, 48.2 dB apart"},
		"changed since":          {Verified{Output: "a.png", Then: "cuda sm_80", Now: "cpu", PSNR: &near}, false, "other pixels came out"},
		"other bytes of a file":  {Verified{Output: "a.png", Pixels: true, Then: "cpu", Now: "cpu"}, false, "the file holds other bytes"},
		"of another size, so no": {Verified{Output: "a.png", Then: "cuda sm_80", Now: "cpu", intact: true}, false, "other pixels came out"},
	} {
		err := c.v.Err()
		text := c.v.Text()
		if err != nil {
			text = err.Error()
		}
		if (err == nil) != c.holds || !strings.Contains(text, c.message) {
			t.Errorf("%s: %v, %q", name, err, text)
		}
	}
}
