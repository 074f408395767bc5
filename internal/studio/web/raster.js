// What tools do to an array of labels. Each function writes whole labels, never
// a mixture, and returns the rectangle it may have changed, or null.

import { join } from './doc.js';

// disc fills the pixels whose middle is within a radius of x, y.
export function disc(labels, w, h, x, y, radius, label) {
  const r = Math.max(0.5, radius);
  const y0 = Math.max(0, Math.ceil(y - r - 0.5)), y1 = Math.min(h - 1, Math.floor(y + r - 0.5));
  for (let py = y0; py <= y1; py++) {
    const dy = py + 0.5 - y, half = Math.sqrt(Math.max(0, r * r - dy * dy));
    const x0 = Math.max(0, Math.ceil(x - half - 0.5)), x1 = Math.min(w - 1, Math.floor(x + half - 0.5));
    if (x1 >= x0) labels.fill(label, py * w + x0, py * w + x1 + 1);
  }
  // A brush of one pixel paints the pixel it is in, wherever in it.
  const px = Math.floor(x), py = Math.floor(y);
  if (px >= 0 && py >= 0 && px < w && py < h) labels[py * w + px] = label;
  return [Math.floor(x - r), Math.floor(y - r), Math.ceil(x + r) + 1, Math.ceil(y + r) + 1];
}

// line draws a stroke of a round brush.
export function line(labels, w, h, ax, ay, bx, by, radius, label) {
  const long = Math.hypot(bx - ax, by - ay), step = Math.max(0.5, radius / 6);
  const n = Math.max(1, Math.ceil(long / step));
  let rect = null;
  for (let i = 0; i <= n; i++) {
    rect = join(rect, disc(labels, w, h, ax + (bx - ax) * i / n, ay + (by - ay) * i / n, radius, label));
  }
  return rect;
}

// flood visits the connected pixels around a seed for which same(i) holds, row
// by row, and calls fill(start, end) for each stretch. same must not hold any
// more for what was filled, or visited says so.
export function flood(w, h, seed, same, visited = new Uint8Array(w * h)) {
  const stack = [seed], spans = [];
  while (stack.length) {
    let i = stack.pop();
    if (visited[i] || !same(i)) continue;
    const y = (i / w) | 0, left = y * w, right = left + w;
    let a = i, b = i + 1;
    while (a > left && !visited[a - 1] && same(a - 1)) a--;
    while (b < right && !visited[b] && same(b)) b++;
    visited.fill(1, a, b);
    spans.push(a, b);
    for (const row of [-w, w]) {
      if (row < 0 ? y === 0 : y === h - 1) continue;
      let inside = false;
      for (let j = a + row; j < b + row; j++) {
        const open = !visited[j] && same(j);
        if (open && !inside) stack.push(j);
        inside = open;
      }
    }
  }
  return spans;
}

// fillSpans paints stretches of pixels.
export function fillSpans(labels, w, spans, label) {
  let rect = null;
  for (let i = 0; i < spans.length; i += 2) {
    labels.fill(label, spans[i], spans[i + 1]);
    const y = (spans[i] / w) | 0;
    rect = join(rect, [spans[i] - y * w, y, spans[i + 1] - y * w, y + 1]);
  }
  return rect;
}

// bucket fills the piece around a pixel, or with everywhere all of its region.
export function bucket(labels, w, h, x, y, label, everywhere) {
  const from = labels[y * w + x];
  if (from === label) return null;
  if (everywhere) {
    for (let i = 0; i < labels.length; i++) if (labels[i] === from) labels[i] = label;
    return [0, 0, w, h];
  }
  return fillSpans(labels, w, flood(w, h, y * w + x, i => labels[i] === from), label);
}

// polygon fills the pixels whose middle is inside a closed line of points
// [x, y, x, y ...], by the even-odd rule.
export function polygon(labels, w, h, points, label) {
  if (points.length < 6) return null;
  let rect = null;
  for (let i = 0; i < points.length; i += 2) {
    rect = join(rect, [Math.floor(points[i]), Math.floor(points[i + 1]), Math.ceil(points[i]) + 1, Math.ceil(points[i + 1]) + 1]);
  }
  const y0 = Math.max(0, rect[1]), y1 = Math.min(h, rect[3]);
  for (let y = y0; y < y1; y++) {
    const middle = y + 0.5, cuts = [];
    for (let i = 0, j = points.length - 2; i < points.length; j = i, i += 2) {
      const ay = points[i + 1], by = points[j + 1];
      if (ay <= middle === by <= middle) continue;
      cuts.push(points[i] + (middle - ay) / (by - ay) * (points[j] - points[i]));
    }
    cuts.sort((a, b) => a - b);
    for (let k = 0; k + 1 < cuts.length; k += 2) {
      const a = Math.max(0, Math.ceil(cuts[k] - 0.5)), b = Math.min(w - 1, Math.floor(cuts[k + 1] - 0.5));
      if (b >= a) labels.fill(label, y * w + a, y * w + b + 1);
    }
  }
  return rect;
}

// wand fills the pixels around x, y whose colour in the picture (RGBA, w x h) is
// within a tolerance of that there.
export function wand(labels, w, h, rgba, x, y, tolerance, label, everywhere) {
  const s = 4 * (y * w + x), r = rgba[s], g = rgba[s + 1], b = rgba[s + 2], most = tolerance * tolerance;
  const same = i => {
    const dr = rgba[4 * i] - r, dg = rgba[4 * i + 1] - g, db = rgba[4 * i + 2] - b;
    return dr * dr + dg * dg + db * db <= most;
  };
  if (everywhere) {
    for (let i = 0; i < labels.length; i++) if (same(i)) labels[i] = label;
    return [0, 0, w, h];
  }
  return fillSpans(labels, w, flood(w, h, y * w + x, same), label);
}

// cells fills the superpixels under a round brush. of holds a cell number for
// each pixel, seen the cells that are done.
export function cells(labels, w, h, of, x, y, radius, label, seen) {
  const wanted = new Set();
  const r = Math.max(1, radius), step = Math.max(1, Math.floor(r / 4));
  for (let dy = -r; dy <= r; dy += step) {
    for (let dx = -r; dx <= r; dx += step) {
      if (dx * dx + dy * dy > r * r) continue;
      const px = Math.floor(x + dx), py = Math.floor(y + dy);
      if (px < 0 || py < 0 || px >= w || py >= h) continue;
      const c = of[py * w + px];
      if (!seen.has(c)) wanted.add(c);
    }
  }
  const px = Math.min(w - 1, Math.max(0, Math.floor(x))), py = Math.min(h - 1, Math.max(0, Math.floor(y)));
  if (!seen.has(of[py * w + px])) wanted.add(of[py * w + px]);
  if (!wanted.size) return null;
  let rect = null;
  for (let i = 0; i < labels.length; i++) {
    if (wanted.has(of[i])) {
      labels[i] = label;
      const row = (i / w) | 0;
      rect = join(rect, [i - row * w, row, i - row * w + 1, row + 1]);
    }
  }
  for (const c of wanted) seen.add(c);
  return rect;
}

// piece is the connected piece of a region at a pixel, as stretches, and the
// region it has the longest border with (itself if there is no other).
export function piece(labels, w, h, x, y) {
  const label = labels[y * w + x];
  const spans = flood(w, h, y * w + x, i => labels[i] === label);
  const beside = new Array(256).fill(0);
  for (let k = 0; k < spans.length; k += 2) {
    const row = (spans[k] / w) | 0;
    for (let i = spans[k]; i < spans[k + 1]; i++) {
      if (row > 0) beside[labels[i - w]]++;
      if (row < h - 1) beside[labels[i + w]]++;
    }
    if (spans[k] > row * w) beside[labels[spans[k] - 1]]++;
    if (spans[k + 1] < (row + 1) * w) beside[labels[spans[k + 1]]]++;
  }
  beside[label] = 0;
  let around = label;
  beside.forEach((n, l) => { if (n > 0 && (around === label || n > beside[around])) around = l; });
  return { label, spans, around };
}

// moved lays a piece dx, dy pixels away; what it leaves goes to the region around.
export function moved(labels, before, w, h, p, dx, dy) {
  labels.set(before);
  fillSpans(labels, w, p.spans, p.around);
  for (let k = 0; k < p.spans.length; k += 2) {
    const row = (p.spans[k] / w) | 0, y = row + dy;
    if (y < 0 || y >= h) continue;
    const a = Math.max(0, p.spans[k] - row * w + dx), b = Math.min(w, p.spans[k + 1] - row * w + dx);
    if (b > a) labels.fill(p.label, y * w + a, y * w + b);
  }
  return [0, 0, w, h];
}

// flip mirrors a map left to right, or upside down.
export function flip(labels, w, h, upsideDown) {
  if (upsideDown) {
    for (let y = 0; y < h >> 1; y++) {
      const a = labels.slice(y * w, y * w + w);
      labels.copyWithin(y * w, (h - 1 - y) * w, (h - y) * w);
      labels.set(a, (h - 1 - y) * w);
    }
  } else {
    for (let y = 0; y < h; y++) labels.subarray(y * w, y * w + w).reverse();
  }
  return [0, 0, w, h];
}
