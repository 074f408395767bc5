// What the cu* symbols are bound to.
enum { BOUND_NONE, BOUND_DRIVER, BOUND_EMULATOR };

int libcuda_bound(void);

// Why no driver is bound: text, and the driver's own code or version.
struct libcuda_reason {
	const char *text;
	int code;
	int version;
};
struct libcuda_reason libcuda_reason(void);

void libcuda_emulate(void);
