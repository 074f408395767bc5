// optimizer.cuh: what Adam and L-BFGS share on the device: the status block that
// the host polls, and the guard against evaluations that are not finite. All
// scalars of an iteration live here; the host takes no part in it.
#pragma once
#include "common.cuh"

constexpr int SLOTS = 64, CHUNK = 4096, THREADS = 256;

// Status has the layout that gpu/device_status.go reads: 8-byte cells.
struct Status {
	double loss[SLOTS], sum, gradNorm, stepSize;
	long long evaluations, accepted, rollbacks, diverged, stalled;
};

// Track follows the accepted images: see track in gpu/optimizer_cpu.go.
struct Track {
	double scale;   // of the step: halved by each rollback
	double worst;   // the highest accepted loss
	double weight;  // of the average of iterates
	long long has;  // base holds an accepted image
	long long failures, patience;
	double average;  // decay of the average; 0: none
};

DEV bool finite(double v) { return v - v == 0; }

// explosion: an evaluation this many times above the worst accepted one is
// thrown away like one that is not finite.
constexpr double explosion = 100;

// judge says whether an evaluation is good and notes it; one thread calls it.
DEV bool judge(Status* st, Track* t, double loss, double absX, double absG, double gg) {
	st->evaluations++;
	st->sum = loss, st->gradNorm = sqrt(gg);
	if (finite(loss + absX + absG + gg) && !(t->worst > 0 && loss > explosion * t->worst)) {
		st->accepted++;
		t->failures = 0;
		if (loss > t->worst) t->worst = loss;
		return true;
	}
	st->rollbacks++;
	t->scale /= 2;
	if (++t->failures >= t->patience) st->diverged = 1;
	return false;
}

DEV double total_loss(const Status* st) {
	double sum = 0;
	for (int i = 0; i < SLOTS; i++) sum += st->loss[i];
	return sum;
}

// accept notes an element of an accepted image in base and average.
DEV void accept(const Track* t, float* base, float* average, int i, float x) {
	base[i] = x;
	if (!average) return;
	const float d = float(t->average);
	average[i] = d * average[i] + (1 - d) * x;
}

DEV float clamp(float v, const float* bounds, int channel, int C) {
	if (!bounds) return v;
	const float lo = bounds[channel], hi = bounds[C + channel];
	return v < lo ? lo : v > hi ? hi : v;
}
