// loss.cu: the losses that are sums over elements: content and total variation.
// Each block writes its part of the value to loss[block]; sum_finish of vector.cu
// adds them in order. dx may be null: value only.
#include "common.cuh"

// content_loss: loss = coef * sum (f - target)^2, dx += 2 * coef * (f - target).
// Grid: blocks of 1024 elements, four a thread.
template <class T> DEV void content_loss_stored(T* __restrict__ dx, const T* __restrict__ f,
         const T* __restrict__ target, double* __restrict__ loss, int n, float coef,
         GradientScale* __restrict__ gradient) {
	__shared__ double scratch[8];
	const int i = (BLOCK_X * 256 + THREAD) * 4;
	double sum = 0;
	const float slope = 2.f * coef * scale_of(gradient);
	float most = 0.f;
	if (i + 4 > n) {
		for (int j = i; j < n; j++) {
			const float d = f[j] - target[j];
			sum += double(d) * d;
			if (!dx) continue;
			const float v = fma(slope, d, dx[j]);
			most = larger(most, v), dx[j] = v;
		}
	} else {
		const float4 a = load4(f + i), b = load4(target + i);
		const float4 d = make4(a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w);
		sum = double(d.x) * d.x + double(d.y) * d.y + double(d.z) * d.z + double(d.w) * d.w;
		if (dx) {
			const float4 g = load4(dx + i);
			const float4 v = make4(fma(slope, d.x, g.x), fma(slope, d.y, g.y), fma(slope, d.z, g.z), fma(slope, d.w, g.w));
			most = larger(most, v);
			store4(dx + i, v);
		}
	}
	if (gradient) note_largest(gradient, most);
	sum = block_sum<256>(sum * coef, scratch);
	if (THREAD == 0) loss[BLOCK_X] = sum;
}
KERNEL __launch_bounds__(256) content_loss(float* __restrict__ dx, const float* __restrict__ f,
         const float* __restrict__ target, double* __restrict__ loss, int n, float coef) {
	content_loss_stored(dx, f, target, loss, n, coef, nullptr);
}
KERNEL __launch_bounds__(256) content_loss_half(half* __restrict__ dx, const half* __restrict__ f,
         const half* __restrict__ target, double* __restrict__ loss, int n, float coef,
         GradientScale* __restrict__ gradient) {
	content_loss_stored(dx, f, target, loss, n, coef, gradient);
}

namespace {

enum TV { TV_L1 = 0, TV_L2 = 1, TV_POWER = 2, TV_INNER = 3 };

DEV float sign(float v) { return v > 0.f ? 1.f : v < 0.f ? -1.f : 0.f; }

// The image (H, W, 3) at a pixel and colour, for the forms of total variation, and
// the weight (H, W) of each pixel's term; null: 1.
struct Image {
	const float* __restrict__ x;
	int H, W;
	const float* __restrict__ weight;
	DEV float weigh(int y, int x_) const { return weight ? weight[(size_t)y * W + x_] : 1.f; }
	DEV float at(int y, int x_, int c) const { return x[((size_t)y * W + x_) * 3 + c]; }
	DEV float clamped(int y, int x_, int c) const { return at(min(max(y, 0), H - 1), min(max(x_, 0), W - 1), c); }
	// Differences to the right and lower neighbour, zero past the border.
	DEV float right(int y, int x_, int c) const { return x_ + 1 < W ? at(y, x_ + 1, c) - at(y, x_, c) : 0.f; }
	DEV float below(int y, int x_, int c) const { return y + 1 < H ? at(y + 1, x_, c) - at(y, x_, c) : 0.f; }
};

// x^0.25 by two exact square roots: the derivative of s^1.25 is 1.25 s^0.25.
DEV float fourth_root(float s) { return sqrtf(sqrtf(s)); }

// What the term of one pixel says: its value, and its slopes along dx and dy.
// The inner form has terms only where both neighbours exist.
DEV void tv_term(const Image& im, int y, int x, int c, int kind, float* value, float* slopeX, float* slopeY) {
	const bool none = kind == TV_INNER && (x + 1 >= im.W || y + 1 >= im.H);
	const float dx = none ? 0.f : im.right(y, x, c), dy = none ? 0.f : im.below(y, x, c);
	const float s = fma(dx, dx, dy * dy), root = fourth_root(s);
	if (kind == TV_L1) *value = fabsf(dx) + fabsf(dy), *slopeX = sign(dx), *slopeY = sign(dy);
	else if (kind == TV_L2) *value = s, *slopeX = 2.f * dx, *slopeY = 2.f * dy;
	else *value = s * root, *slopeX = 2.5f * root * dx, *slopeY = 2.5f * root * dy;
	const float weight = im.weigh(y, x);
	*value *= weight, *slopeX *= weight, *slopeY *= weight;
}

}  // namespace

// tv_loss: forms L1, L2, power 1.25 and inner (see gpu/tv.go). A pixel takes
// part in its own term and in those of its left and upper neighbour. weight (H, W),
// which may be null, multiplies each pixel's term.
// Grid: blocks of 256 pixels.
KERNEL __launch_bounds__(256)
    tv_loss(float* __restrict__ dx, const float* __restrict__ x, const float* __restrict__ weight,
            double* __restrict__ loss, int H, int W, int kind, float coef) {
	__shared__ double scratch[8];
	const Image im = {x, H, W, weight};
	const int i = BLOCK_X * 256 + THREAD, py = i / W, px = i % W;
	double sum = 0;
	if (i < H * W) UNROLL for (int c = 0; c < 3; c++) {
		float value, right, below, unused, fromLeft = 0.f, fromAbove = 0.f;
		tv_term(im, py, px, c, kind, &value, &right, &below);
		sum += value;
		if (!dx) continue;
		if (px > 0) tv_term(im, py, px - 1, c, kind, &value, &fromLeft, &unused);
		if (py > 0) tv_term(im, py - 1, px, c, kind, &value, &unused, &fromAbove);
		dx[(size_t)i * 3 + c] += coef * (fromLeft + fromAbove - right - below);
	}
	sum = block_sum<256>(sum * coef, scratch);
	if (THREAD == 0) loss[BLOCK_X] = sum;
}

// tv_stencil: style-transfer-pytorch's nine-point form: 2/3 (right^2 + below^2)
// over the image, and 1/6 of the squares of both diagonals over the image padded
// by repeating its border, whose mean is over (H+1)(W+1) cells: so each cell
// weighs H*W/((H+1)(W+1)). The gradient is gathered per pixel; a border pixel
// also answers for its copies in the padding.
KERNEL __launch_bounds__(256)
    tv_stencil(float* __restrict__ dx, const float* __restrict__ x, double* __restrict__ loss, int H, int W,
               float coef) {
	__shared__ double scratch[8];
	const Image im = {x, H, W, nullptr};
	const int i = BLOCK_X * 256 + THREAD, py = i / W, px = i % W;
	const double diagonal = 1.0 / 6 * H * W / (double(H + 1) * (W + 1));
	double sum = 0;
	if (i < H * W) UNROLL for (int c = 0; c < 3; c++) {
		const float r = im.right(py, px, c), b = im.below(py, px, c);
		double g = -4.0 / 3 * (double(r) + b);
		if (px > 0) g += 4.0 / 3 * im.right(py, px - 1, c);
		if (py > 0) g += 4.0 / 3 * im.below(py - 1, px, c);
		sum += 2.0 / 3 * (double(r) * r + double(b) * b);
		// Cell (y, x) has corners (y-1, x-1) .. (y, x), clamped into the image;
		// cells run over 0..H, 0..W, and this pixel owns the value of one corner.
		for (int cy = py; cy <= py + 1; cy++) for (int cx = px; cx <= px + 1; cx++) {
			const float d1 = im.clamped(cy, cx, c) - im.clamped(cy - 1, cx - 1, c);
			const float d2 = im.clamped(cy, cx - 1, c) - im.clamped(cy - 1, cx, c);
			const bool mine = (cy == py && cx == px) || (py == H - 1 && cy == H && cx == px) ||
			                  (px == W - 1 && cx == W && cy == py) || (py == H - 1 && px == W - 1 && cy == H && cx == W);
			if (mine) sum += diagonal * (double(d1) * d1 + double(d2) * d2);
			// Each of the cell's four corners that clamps to this pixel adds its slope.
			const bool top = max(cy - 1, 0) == py, bottom = min(cy, H - 1) == py;
			const bool left = max(cx - 1, 0) == px, right = min(cx, W - 1) == px;
			const double s1 = 2 * diagonal * d1, s2 = 2 * diagonal * d2;
			g += (bottom && right ? s1 : 0.0) - (top && left ? s1 : 0.0) + (bottom && left ? s2 : 0.0) - (top && right ? s2 : 0.0);
		}
		if (dx) dx[(size_t)i * 3 + c] += float(coef * g);
	}
	sum = block_sum<256>(sum * coef, scratch);
	if (THREAD == 0) loss[BLOCK_X] = sum;
}
