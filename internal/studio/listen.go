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

// Listen opens the page's port: at the address where if that is not "", and
// otherwise on this machine. A folder gets the same port each time, because
// browsers keep strokes by address. If that port is taken, Listen uses any other
// one.
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

// freeListen returns flags with an address that can be listened at: on the given
// host if it belongs to this machine, and otherwise on all its networks.
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

// OpenBrowser asks the system to open an address, and ignores failures.
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
