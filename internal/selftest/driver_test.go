package selftest

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The os-release files are the beginnings of those of the distributions.
var releases = map[string]string{
	"Debian GNU/Linux 13 (trixie)":    "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n",
	"Ubuntu 24.04.2 LTS":              "PRETTY_NAME=\"Ubuntu 24.04.2 LTS\"\nID=ubuntu\nID_LIKE=debian\n",
	"Linux Mint 22":                   "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nPRETTY_NAME=\"Linux Mint 22\"\n",
	"Fedora Linux 42 (Workstation)":   "NAME=\"Fedora Linux\"\nID=fedora\nPRETTY_NAME=\"Fedora Linux 42 (Workstation)\"\n",
	"Rocky Linux 9.5 (Blue Onyx)":     "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nPRETTY_NAME=\"Rocky Linux 9.5 (Blue Onyx)\"\n",
	"Arch Linux":                      "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\n",
	"openSUSE Leap 15.6":              "NAME=\"openSUSE Leap\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nPRETTY_NAME=\"openSUSE Leap 15.6\"\n",
	"SUSE Linux Enterprise Server 15": "NAME=SLES\nID=sles\nPRETTY_NAME='SUSE Linux Enterprise Server 15'\n",
	"an unknown distribution":         "ID=nothing\n",
}

// machine is one with an NVIDIA card and more files.
func machine(release string, more ...string) fstest.MapFS {
	files := fstest.MapFS{
		"etc/os-release": {Data: []byte(release)},
		"sys/bus/pci/devices/0000:01:00.0/vendor": {Data: []byte("0x10de\n")},
		"sys/bus/pci/devices/0000:01:00.0/class":  {Data: []byte("0x030000\n")},
		"sys/bus/pci/devices/0000:00:1f.0/vendor": {Data: []byte("0x8086\n")},
		"sys/bus/pci/devices/0000:00:1f.0/class":  {Data: []byte("0x060100\n")},
	}
	for _, path := range more {
		files[path] = &fstest.MapFile{Data: []byte("NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.133.07  Fri Mar 14 13:12:07 UTC 2026\n")}
	}
	return files
}

const module = "proc/driver/nvidia/version"

// TestDriverByDistribution: what is missing is told by the packages of each.
func TestDriverByDistribution(t *testing.T) {
	for name, want := range map[string][2]string{
		"Debian GNU/Linux 13 (trixie)":    {"apt install nvidia-driver", "apt install libcuda1"},
		"Ubuntu 24.04.2 LTS":              {"ubuntu-drivers install", "apt install libnvidia-compute-570"},
		"Linux Mint 22":                   {"ubuntu-drivers install", "apt install libnvidia-compute-570"},
		"Fedora Linux 42 (Workstation)":   {"dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda ", "dnf install xorg-x11-drv-nvidia-cuda-libs"},
		"Rocky Linux 9.5 (Blue Onyx)":     {"dnf install nvidia-open nvidia-driver-cuda ", "dnf install nvidia-driver-cuda-libs"},
		"Arch Linux":                      {"pacman -S nvidia-open nvidia-utils", "pacman -S nvidia-utils"},
		"openSUSE Leap 15.6":              {"zypper install nvidia-open-driver-G06-signed-kmp-default", "zypper install nvidia-compute-G06"},
		"SUSE Linux Enterprise Server 15": {"zypper install nvidia-open-driver-G06-signed-kmp-default", "zypper install nvidia-compute-G06"},
		"an unknown distribution":         {"package of NVIDIA's driver", "package of NVIDIA's driver"},
	} {
		for i, files := range []fstest.MapFS{machine(releases[name]), machine(releases[name], module)} {
			found := Driver(files, true, 0)
			if len(found) != 1 || found[0].State != Note || !strings.Contains(found[0].Fix, want[i]) || !strings.Contains(found[0].Text, name) {
				t.Errorf("%s: %+v, want %q", name, found, want[i])
			}
		}
	}
}

// TestDriver: what else may be the matter with a card.
func TestDriver(t *testing.T) {
	release := releases["Ubuntu 24.04.2 LTS"]
	none := machine(release)
	delete(none, "sys/bus/pci/devices/0000:01:00.0/vendor")
	audio := machine(release)
	audio["sys/bus/pci/devices/0000:01:00.0/class"] = &fstest.MapFile{Data: []byte("0x040300\n")}
	for name, c := range map[string]struct {
		files   fstest.MapFS
		hasCUDA bool
		usable  int
		want    string // "": nothing is said
	}{
		"a card that is used":      {machine(release), true, 1, ""},
		"no card":                  {none, true, 0, ""},
		"a card's sound":           {audio, true, 0, ""},
		"a build without CUDA":     {machine(release), false, 0, "this build paints on processors only"},
		"a container":              {machine(release, ".dockerenv"), true, 0, "the container does not see its driver"},
		"a container's library":    {machine(release, ".dockerenv", module), true, 0, "the container lacks libcuda.so.1"},
		"all there, but no device": {machine(release, module, "usr/lib/x86_64-linux-gnu/libcuda.so.1"), true, 0, "the driver 570.133.07 is loaded, but no device can be used"},
		"no os-release":            {machine("", module), true, 0, "an unknown distribution"},
	} {
		found := Driver(c.files, c.hasCUDA, c.usable)
		switch {
		case c.want == "" && len(found) > 0, c.want != "" && (len(found) != 1 || !strings.Contains(found[0].Text, c.want) || found[0].Fix == ""):
			t.Errorf("%s: %+v, want %q", name, found, c.want)
		}
	}
}
