package selftest

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Driver says what a Linux machine with an NVIDIA card lacks to paint on it, in the
// words of its distribution. root is the file system; hasCUDA says that this build
// can paint on a GPU, and usable how many it found. A machine without such a card,
// or with one that is found, has no finding.
func Driver(root fs.FS, hasCUDA bool, usable int) []Finding {
	if usable > 0 || !hasCard(root) {
		return nil
	}
	f := Finding{State: Note, What: "gpu"}
	version, loaded := driverVersion(root)
	on := distribution(root)
	switch {
	case !hasCUDA:
		f.Text, f.Fix = "there is an NVIDIA card, but this build paints on processors only", "the build for CUDA: docs/deploy.md"
	case !loaded && inContainer(root):
		f.Text, f.Fix = "there is an NVIDIA card, but the container does not see its driver", "docker run --gpus all"
	case !loaded:
		f.Text, f.Fix = fmt.Sprintf("there is an NVIDIA card, but its driver is not loaded (%s)", on.name), on.driver
	case !hasLibrary(root) && inContainer(root):
		f.Text, f.Fix = fmt.Sprintf("the driver %s is loaded, but the container lacks libcuda.so.1", version), "docker run --gpus all"
	case !hasLibrary(root):
		major, _, _ := strings.Cut(version, ".")
		f.Text = fmt.Sprintf("the driver %s is loaded, but libcuda.so.1 is missing (%s)", version, on.name)
		f.Fix = strings.ReplaceAll(on.library, "VERSION", major)
	default:
		f.Text, f.Fix = fmt.Sprintf("the driver %s is loaded, but no device can be used", version), "nvidia-smi   (says why), or a restart after an update of the driver"
	}
	return []Finding{f}
}

// distro is how a distribution calls what a GPU needs.
type distro struct {
	name            string
	driver, library string // commands that install the driver, and its library alone
}

// distros are known by ID, or by what they are like (os-release).
var distros = map[string]distro{
	"ubuntu": {"Ubuntu", "sudo ubuntu-drivers install   (then restart)", "sudo apt install libnvidia-compute-VERSION"},
	"debian": {"Debian", "sudo apt install nvidia-driver   (of the components contrib, non-free and non-free-firmware; then restart)", "sudo apt install libcuda1"},
	"fedora": {"Fedora", "sudo dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda   (of RPM Fusion nonfree; then restart)", "sudo dnf install xorg-x11-drv-nvidia-cuda-libs   (of RPM Fusion nonfree)"},
	"rhel":   {"RHEL", "sudo dnf install nvidia-open nvidia-driver-cuda   (of NVIDIA's repository; then restart)", "sudo dnf install nvidia-driver-cuda-libs   (of NVIDIA's repository)"},
	"arch":   {"Arch", "sudo pacman -S nvidia-open nvidia-utils   (then restart)", "sudo pacman -S nvidia-utils"},
	"suse":   {"SUSE", "sudo zypper install nvidia-open-driver-G06-signed-kmp-default nvidia-compute-utils-G06   (of NVIDIA's repository; then restart)", "sudo zypper install nvidia-compute-G06   (of NVIDIA's repository)"},
}

// distribution finds out which distribution this is.
func distribution(root fs.FS) distro {
	text, err := fs.ReadFile(root, "etc/os-release")
	if err != nil {
		text, _ = fs.ReadFile(root, "usr/lib/os-release")
	}
	values := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		key, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	for _, id := range append([]string{values["ID"]}, strings.Fields(values["ID_LIKE"])...) {
		if strings.HasPrefix(id, "opensuse") || id == "sles" {
			id = "suse"
		}
		if d, ok := distros[id]; ok {
			if name := values["PRETTY_NAME"]; name != "" {
				d.name = name
			}
			return d
		}
	}
	const any = "the distribution's package of NVIDIA's driver, with libcuda.so.1"
	return distro{"an unknown distribution", any, any}
}

// hasCard reports whether the PCI bus has a display adapter of NVIDIA.
func hasCard(root fs.FS) bool {
	const nvidia, display = "0x10de", "0x03" // vendor, and the begin of a class
	vendors, _ := fs.Glob(root, "sys/bus/pci/devices/*/vendor")
	for _, path := range vendors {
		vendor, _ := fs.ReadFile(root, path)
		class, _ := fs.ReadFile(root, strings.TrimSuffix(path, "vendor")+"class")
		if strings.TrimSpace(string(vendor)) == nvidia && strings.HasPrefix(string(class), display) {
			return true
		}
	}
	return false
}

var versionLine = regexp.MustCompile(`\b([0-9]{3}\.[0-9.]+)\b`)

// driverVersion is that of the kernel module, if it is loaded.
func driverVersion(root fs.FS) (version string, loaded bool) {
	text, err := fs.ReadFile(root, "proc/driver/nvidia/version")
	if err != nil {
		return "", false
	}
	return string(versionLine.Find(text)), true
}

// hasLibrary reports whether libcuda.so.1 is where the distributions put it.
func hasLibrary(root fs.FS) bool {
	for _, pattern := range []string{"usr/lib/*/libcuda.so.1", "usr/lib/libcuda.so.1", "usr/lib64/libcuda.so.1", "usr/lib/*/nvidia/current/libcuda.so.1", "usr/local/*/lib64/libcuda.so.1"} {
		if found, _ := fs.Glob(root, pattern); len(found) > 0 {
			return true
		}
	}
	return false
}

func inContainer(root fs.FS) bool {
	for _, mark := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(root, mark); err == nil {
			return true
		}
	}
	return false
}
