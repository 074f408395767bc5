// The document that is painted on: two maps of labels, the painting's and the
// canvas's, that share one palette of regions. Everything here is exact: a pixel
// holds the number of its region, and a colour is only how a region is shown.
// No part of the page is needed, so that it can be tested by itself.

export const SIDES = ['painting', 'canvas'];

// Sixteen colours that no resize or comparison takes one for another; the
// program's own (internal/maps).
export const PALETTE = [
  ['#0080ff', 'azure'], ['#0000ff', 'blue'], ['#00ff00', 'green'], ['#ff8000', 'orange'],
  ['#ff0000', 'red'], ['#ffff00', 'yellow'], ['#ffffff', 'white'], ['#8000ff', 'violet'],
  ['#00ffff', 'cyan'], ['#ff00ff', 'magenta'], ['#80ff00', 'lime'], ['#ff0080', 'rose'],
  ['#00ff80', 'mint'], ['#ff8080', 'salmon'], ['#8080ff', 'lavender'], ['#80ff80', 'pale green'],
];

export const MAX_REGIONS = 255;

// NEAR is the distance up to which two colours are one region.
export const NEAR = 30;

export function parseColour(text) {
  const n = parseInt(text.slice(1), 16);
  return [n >> 16 & 255, n >> 8 & 255, n & 255];
}

export function distance(a, b) {
  const x = parseColour(a), y = parseColour(b);
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

// freeColour is the first colour of the palette that is far from all in use,
// or the one that is farthest.
export function freeColour(regions) {
  let best = PALETTE[0], most = -1;
  for (const p of PALETTE) {
    const d = Math.min(Infinity, ...regions.map(r => distance(r.colour, p[0])));
    if (d > 100) return { colour: p[0], name: p[1] };
    if (d > most) { most = d; best = p; }
  }
  if (most > NEAR) return { colour: best[0], name: best[1] };
  for (let r = 32; r < 256; r += 32) {
    for (let g = 0; g < 256; g += 32) {
      for (let b = 0; b < 256; b += 32) {
        const c = '#' + [r, g, b].map(v => v.toString(16).padStart(2, '0')).join('');
        if (regions.every(q => distance(q.colour, c) > NEAR)) return { colour: c, name: '' };
      }
    }
  }
  return { colour: best[0], name: best[1] };
}

// A rectangle [x0, y0, x1, y1) that grows; null is empty.
export function join(a, b) {
  if (!a) return b;
  if (!b) return a;
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

// runsOf lists what differs between two arrays of labels within a rectangle: for
// each run of pixels its start, its length, the label before and the one after.
export function runsOf(before, after, w, rect) {
  const runs = [];
  for (let y = rect[1]; y < rect[3]; y++) {
    const end = y * w + rect[2];
    for (let i = y * w + rect[0]; i < end;) {
      const a = before[i], b = after[i];
      if (a === b) { i++; continue; }
      const start = i;
      while (i < end && before[i] === a && after[i] === b) i++;
      runs.push(start, i - start, a, b);
    }
  }
  return Uint32Array.from(runs);
}

// pack is a whole array of labels as runs of a length and a label.
export function pack(labels) {
  const out = [];
  for (let i = 0; i < labels.length;) {
    const l = labels[i], start = i;
    while (i < labels.length && labels[i] === l) i++;
    out.push(i - start, l);
  }
  return Uint32Array.from(out);
}

export function unpack(runs, n) {
  const labels = new Uint8Array(n);
  for (let i = 0, at = 0; i < runs.length; i += 2) {
    labels.fill(runs[i + 1], at, at + runs[i]);
    at += runs[i];
  }
  return labels;
}

const copyRegions = regions => regions.map(r => ({ colour: r.colour, name: r.name }));

export class Doc {
  constructor() {
    this.regions = [];
    this.painting = null; // {w, h, labels} or null
    this.canvas = null;
    this.steps = [];
    this.at = 0; // how many of the steps are done
    this.open = null; // the gesture at hand
    this.laying = false; // what is laid out before a person begins is not undone
    this.listeners = new Set();
    this.store = null; // keeps steps; see store.js
  }

  // tell lets views know of a change: {side, rect} or {regions: true}.
  tell(change) { for (const f of this.listeners) f(change); }

  // begin opens a gesture. What it changes is one step to undo.
  begin(what) {
    if (this.open) this.commit();
    this.open = { what, before: {}, rects: {}, regions: null, whole: {} };
  }

  // labels are a side's, to be written to; the gesture remembers what was there.
  labels(side) {
    const g = this.open, m = this[side];
    if (!g) throw new Error('labels are changed within a gesture');
    if (!g.before[side]) g.before[side] = m.labels.slice();
    return m.labels;
  }

  // before are a side's labels as the gesture at hand found them.
  before(side) { return this.open?.before[side] ?? this[side].labels; }

  touch(side, rect) {
    if (!rect) return;
    const m = this[side];
    rect = [Math.max(0, rect[0]), Math.max(0, rect[1]), Math.min(m.w, rect[2]), Math.min(m.h, rect[3])];
    if (rect[0] >= rect[2] || rect[1] >= rect[3]) return;
    this.open.rects[side] = join(this.open.rects[side], rect);
    this.tell({ side, rect });
  }

  // setRegions replaces the palette within a gesture.
  setRegions(regions) {
    this.open.regions ??= copyRegions(this.regions);
    this.regions = copyRegions(regions);
    this.tell({ regions: true });
  }

  // setSide puts another map of any size in a side's place.
  setSide(side, w, h, labels) {
    const m = this[side];
    if (m && m.w === w && m.h === h) {
      this.labels(side).set(labels);
      this.touch(side, [0, 0, w, h]);
      return;
    }
    const g = this.open;
    // Finish what this gesture did at the old size.
    if (g.before[side]) { m.labels = g.before[side]; delete g.before[side]; delete g.rects[side]; }
    g.whole[side] ??= { before: m ? { w: m.w, h: m.h, runs: pack(m.labels) } : null };
    this[side] = { w, h, labels: Uint8Array.from(labels) };
    this.tell({ side, rect: [0, 0, w, h], size: true });
  }

  // commit closes the gesture and returns its step, null if nothing changed.
  commit() {
    const g = this.open;
    this.open = null;
    if (!g) return null;
    const step = { what: g.what, parts: [], before: null, after: null, base: this.laying };
    for (const side of SIDES) {
      const m = this[side];
      if (g.whole[side]) {
        step.parts.push({ side, before: g.whole[side].before, after: m && { w: m.w, h: m.h, runs: pack(m.labels) } });
      } else if (g.rects[side]) {
        const runs = runsOf(g.before[side], m.labels, m.w, g.rects[side]);
        if (runs.length) step.parts.push({ side, runs });
      }
    }
    if (g.regions && JSON.stringify(g.regions) !== JSON.stringify(this.regions)) {
      step.before = g.regions;
      step.after = copyRegions(this.regions);
    }
    if (!step.parts.length && !step.after) return null;
    this.steps.length = this.at;
    this.steps.push(step);
    this.at++;
    this.store?.append(this.at - 1, step);
    this.tell({ step: true });
    return step;
  }

  // cancel undoes the gesture at hand.
  cancel() {
    const g = this.open;
    this.open = null;
    if (!g) return;
    for (const side of SIDES) {
      if (g.whole[side]) this.restore(side, g.whole[side].before);
      else if (g.before[side]) {
        this[side].labels.set(g.before[side]);
        if (g.rects[side]) this.tell({ side, rect: g.rects[side] });
      }
    }
    if (g.regions) { this.regions = g.regions; this.tell({ regions: true }); }
  }

  restore(side, whole) {
    this[side] = whole && { w: whole.w, h: whole.h, labels: unpack(whole.runs, whole.w * whole.h) };
    this.tell({ side, rect: whole && [0, 0, whole.w, whole.h], size: true });
  }

  apply(step, forward) {
    const regions = forward ? step.after : step.before;
    if (regions) { this.regions = copyRegions(regions); this.tell({ regions: true }); }
    for (const p of step.parts) {
      if (!p.runs) { this.restore(p.side, forward ? p.after : p.before); continue; }
      const m = this[p.side], label = forward ? 3 : 2;
      let rect = null;
      for (let i = 0; i < p.runs.length; i += 4) {
        const start = p.runs[i], n = p.runs[i + 1];
        m.labels.fill(p.runs[i + label], start, start + n);
        const x = start % m.w, y = (start - x) / m.w;
        rect = join(rect, [x, y, x + n, y + 1]);
      }
      this.tell({ side: p.side, rect });
    }
  }

  get canUndo() { return this.at > 0 && !this.steps[this.at - 1].base; }

  undo() {
    if (this.open) { this.cancel(); return true; }
    if (!this.canUndo) return false;
    this.apply(this.steps[--this.at], false);
    this.store?.moved(this.at);
    this.tell({ step: true });
    return true;
  }

  redo() {
    if (this.open || this.at >= this.steps.length) return false;
    this.apply(this.steps[this.at++], true);
    this.store?.moved(this.at);
    this.tell({ step: true });
    return true;
  }

  // replay takes up the steps that a store kept.
  replay(steps, at) {
    this.steps = steps;
    for (this.at = 0; this.at < Math.min(at, steps.length); this.at++) this.apply(steps[this.at], true);
    this.tell({ step: true });
  }

  // --- regions ---

  // load puts a map, with its own regions, in a side's place: regions of a colour
  // that the palette has become that region, others are added.
  load(side, map, what = 'open a map') {
    this.begin(what);
    const regions = copyRegions(this.regions);
    const to = map.regions.map(r => {
      let i = regions.findIndex(q => distance(q.colour, r.colour) <= NEAR);
      if (i < 0) {
        if (regions.length >= MAX_REGIONS) return 0;
        i = regions.push({ colour: r.colour, name: r.name }) - 1;
      } else if (r.name && !regions[i].name) regions[i].name = r.name;
      return i;
    });
    this.setRegions(regions);
    this.setSide(side, map.w, map.h, map.labels.map(l => to[l]));
    this.dropUnused();
    return this.commit();
  }

  // counts are the pixels of each region on a side.
  counts(side) {
    const n = new Array(this.regions.length).fill(0);
    if (this[side]) for (const l of this[side].labels) n[l]++;
    return n;
  }

  addRegion() {
    if (this.regions.length >= MAX_REGIONS) return -1;
    this.begin('add a region');
    this.setRegions([...this.regions, freeColour(this.regions)]);
    this.commit();
    return this.regions.length - 1;
  }

  rename(i, name) {
    this.begin('rename a region');
    this.setRegions(this.regions.map((r, j) => j === i ? { colour: r.colour, name: name.slice(0, 60) } : r));
    this.commit();
  }

  // recolour refuses a colour that another region has, or nearly has.
  recolour(i, colour) {
    if (this.regions.some((r, j) => j !== i && distance(r.colour, colour) <= NEAR)) return false;
    this.begin('recolour a region');
    this.setRegions(this.regions.map((r, j) => j === i ? { colour, name: r.name } : r));
    this.commit();
    return true;
  }

  // relabel gives every pixel of each side another label, within a gesture.
  relabel(to, sides = SIDES) {
    for (const side of sides) {
      const m = this[side];
      if (!m) continue;
      const labels = this.labels(side);
      for (let i = 0; i < labels.length; i++) labels[i] = to[labels[i]];
      this.touch(side, [0, 0, m.w, m.h]);
    }
  }

  // merge makes region b part of a, in both maps.
  merge(a, b) {
    if (a === b) return;
    this.begin('merge regions');
    this.relabel(this.regions.map((_, i) => i === b ? a : i).map(i => i > b ? i - 1 : i));
    this.setRegions(this.regions.filter((_, i) => i !== b));
    this.commit();
  }

  // swap exchanges two regions on one side.
  swap(a, b, side) {
    this.begin('swap regions');
    this.relabel(this.regions.map((_, i) => i === a ? b : i === b ? a : i), [side]);
    this.commit();
  }

  // dropUnused forgets regions that no pixel of either map has, within a gesture.
  dropUnused() {
    const n = this.counts('painting').map((v, i) => v + this.counts('canvas')[i]);
    if (n.every(v => v > 0)) return;
    const to = [];
    let next = 0;
    for (let i = 0; i < n.length; i++) to.push(n[i] ? next++ : 0);
    this.relabel(to);
    this.setRegions(this.regions.filter((_, i) => n[i]));
  }

  // header and labels are a side as it travels to the server. A region that only
  // the other side has is left out.
  wire(side, name = side + '_sem.png') {
    const m = this[side], n = this.counts(side), to = [];
    const regions = [];
    n.forEach((v, i) => { to[i] = v ? regions.push(this.regions[i]) - 1 : 0; });
    return { header: { name, width: m.w, height: m.h, regions }, labels: m.labels.map(l => to[l]) };
  }
}
