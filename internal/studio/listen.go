package studio

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"github.com/impasto/impasto/internal/ui"
)

// Listen opens the page's port: the address where, if that is not "", or a port of this machine. A folder has the same one each time,
// because browsers keep strokes by address; if it is taken, any other.
func Listen(folder, where, port string) (net.Listener, error) {
	if where != "" {
		l, err := net.Listen("tcp", where)
		if err != nil {
			return nil, ui.NewFault(ui.ExitUsage, "listen", fmt.Sprintf("--listen %s: %s", where, ui.Reason(err)), freeListen(where, folder))
		}
		return l, nil
	}
	if port == "" {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", Port(folder))); err == nil {
			return l, nil
		}
		port = "0"
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, ui.NewFault(ui.ExitUsage, "port", fmt.Sprintf("--port %s: %s", port, ui.Reason(err)), "another --port", "no --port: one is chosen")
	}
	return l, nil
}

// freeListen are flags with an address that can be listened at: on the host
// that was meant, if it is one of this machine's, else on all its networks.
func freeListen(where, folder string) string {
	host, _, err := net.SplitHostPort(where)
	if err != nil || host == "" {
		host = "0.0.0.0"
	}
	for _, h := range []string{host, "0.0.0.0"} {
		for _, port := range []int{Port(folder), 0} {
			l, err := net.Listen("tcp", net.JoinHostPort(h, strconv.Itoa(port)))
			if err != nil {
				continue
			}
			at := l.Addr().(*net.TCPAddr)
			l.Close()
			flags := "--listen " + net.JoinHostPort(h, strconv.Itoa(at.Port))
			if name, err := os.Hostname(); err == nil && !at.IP.IsLoopback() {
				flags += " --allow-host " + ui.ShellQuote(name)
			}
			return flags
		}
	}
	return ""
}

// OpenBrowser asks the system to open an address, and does not mind if it cannot.
func OpenBrowser(address string) {
	var command *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		command = exec.Command("open", address)
	case "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	default:
		if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
			return
		}
		command = exec.Command("xdg-open", address)
	}
	if command.Start() == nil {
		go func() { _ = command.Wait() }()
	}
}
