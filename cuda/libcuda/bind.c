//go:build cuda && linux

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "symbols.h"

// The CUresults handed out here; cuda.h is not needed for the rest.
enum { SUCCESS = 0, NO_DEVICE = 100, NOT_FOUND = 500, NOT_SUPPORTED = 801 };

// What answers where nothing else does. Callers pass arguments of any number;
// in the C calling conventions of Linux those that are not declared are not read.
static int no_device(void) { return NO_DEVICE; }
static int not_found(void) { return NOT_FOUND; }
static int not_supported(void) { return NOT_SUPPORTED; }

static int no_devices(int *count) {
	*count = 0;
	return SUCCESS;
}

// The pointers the stubs jump through.
#define HIDDEN __attribute__((visibility("hidden")))
#define SYMBOL(name, emulated) HIDDEN void *bound_##name = (void *)no_device;
SYMBOLS
#undef SYMBOL

// The emulator's answers, exported by Go.
#define SYMBOL(name, emulated) extern int emulated();
SYMBOLS
#undef SYMBOL

static int bound = BOUND_NONE;
static struct libcuda_reason reason;

int libcuda_bound(void) { return bound; }
struct libcuda_reason libcuda_reason(void) { return reason; }

static void bind_none(const char *text, int code, int version) {
#define SYMBOL(name, emulated) bound_##name = (void *)no_device;
	SYMBOLS
#undef SYMBOL
	bound_cuDeviceGetCount = (void *)no_devices;
	bound = BOUND_NONE;
	reason = (struct libcuda_reason){text, code, version};
}

void libcuda_emulate(void) {
#define SYMBOL(name, emulated) bound_##name = (void *)emulated;
	SYMBOLS
#undef SYMBOL
	bound = BOUND_EMULATOR;
}

static void bind_driver(void) {
	void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL) {
		static char text[512];
		strncpy(text, dlerror(), sizeof text - 1);
		bind_none(strstr(text, "No such file") ? "driver library libcuda.so.1 was not found" : text, 0, 0);
		return;
	}
	int (*init)(unsigned) = (int (*)(unsigned))dlsym(lib, "cuInit");
	int (*get_version)(int *) = (int (*)(int *))dlsym(lib, "cuDriverGetVersion");
	if (init == NULL || get_version == NULL) {
		bind_none("driver library libcuda.so.1 lacks cuInit", 0, 0);
		return;
	}
	int code = init(0), version = 0;
	get_version(&version);
	if (code != SUCCESS) {
		bind_none(code == NO_DEVICE ? "the driver found no device" : "the driver did not start", code, version);
		return;
	}
#define SYMBOL(name, emulated) \
	bound_##name = dlsym(lib, #name); \
	if (bound_##name == NULL) bound_##name = (void *)not_found;
	SYMBOLS
#undef SYMBOL
	bound = BOUND_DRIVER;
	reason.version = version;
}

// cuInit runs in the init of gorgonia.org/cu, perhaps before any Go package of
// ours is ready: it calls no Go.
HIDDEN int cuInit(unsigned flags) {
	(void)flags;
	static int done;
	if (done++) return SUCCESS;
	const char *want = getenv("IMPASTO_CUDA");
	if (want == NULL || *want == 0) bind_driver();
	else if (strcmp(want, "emu") == 0) libcuda_emulate();
	else if (strcmp(want, "none") == 0) bind_none("IMPASTO_CUDA is none", 0, 0);
	else bind_none("IMPASTO_CUDA is neither emu nor none", 0, 0);
	return SUCCESS;
}
