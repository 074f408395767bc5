// The tools: what a press, a move and a release of the pointer do to the
// document. Positions are in pixels of the map. No part of the page is needed.

import * as raster from './raster.js';

export const TOOLS = [
  { name: 'brush', key: 'b', title: 'Brush', hint: 'Drag to paint. Wheel or [ ] changes the size.' },
  { name: 'eraser', key: 'e', title: 'Eraser', hint: 'Drag to paint the first region of the list, the ground: a map has no transparent pixels.' },
  { name: 'bucket', key: 'g', title: 'Bucket', hint: 'Click to fill a piece; Shift-click fills its region everywhere.' },
  { name: 'lasso', key: 'l', title: 'Lasso', hint: 'Drag around what you mean. Ctrl gives it to the ground.' },
  { name: 'polygon', key: 'p', title: 'Polygon', hint: 'Click corners; click the first, double-click or Enter closes. Shift snaps to 45°, Esc drops it.' },
  { name: 'wand', key: 'w', title: 'Magic wand', hint: 'Press on a colour of the picture and drag sideways for more or less of it. Shift takes it everywhere.' },
  { name: 'cells', key: 's', title: 'Edge brush', hint: 'Drag: small pieces that follow the edges of the picture are painted whole.' },
  { name: 'pick', key: 'i', title: 'Pick', hint: 'Click to take up a region. Alt-click does so with every tool.' },
  { name: 'move', key: 'v', title: 'Move', hint: 'Drag a piece elsewhere.' },
];

// A click this near to the first corner closes a polygon, in pixels of the screen.
const CLOSE = 9;

export class Toolbox {
  // doc is what is painted on. picked is told of a label that was picked.
  constructor(doc, picked = () => {}) {
    this.doc = doc;
    this.picked = picked;
    this.tool = 'brush';
    this.label = 0;
    this.sizes = { brush: 24, eraser: 32, cells: 6 }; // diameters, one for each tool
    this.mirror = false; // strokes are also painted left-right mirrored
    this.tolerance = 32;
    this.pictures = {}; // by side: RGBA of the picture below, at the map's size
    this.cellsOf = {}; // by side: a superpixel for each pixel
    this.corners = null; // of the polygon at hand: {side, points, zoom}
    this.g = null; // the gesture at hand
  }

  get size() { return this.sizes[this.tool] ?? this.sizes.brush; }

  // resize steps the brush's area by a tenth.
  resize(steps) {
    const name = this.tool in this.sizes ? this.tool : 'brush';
    let d = this.sizes[name];
    for (let i = 0; i < Math.abs(steps); i++) {
      d = steps > 0 ? Math.max(d + 1, d * Math.sqrt(1.1)) : Math.min(d - 1, d / Math.sqrt(1.1));
    }
    this.sizes[name] = Math.round(Math.min(600, Math.max(1, d)));
  }

  choose(tool) {
    this.drop();
    this.tool = tool;
  }

  // drop ends whatever is at hand without a trace.
  drop() {
    this.corners = null;
    if (this.g) { this.g = null; this.doc.cancel(); }
  }

  // press begins. at: {side, x, y, zoom, shift, ctrl, alt, clicks}.
  press(at) {
    const m = this.doc[at.side];
    if (!m || this.g) return;
    const inside = at.x >= 0 && at.y >= 0 && at.x < m.w && at.y < m.h;
    const x = Math.floor(at.x), y = Math.floor(at.y);
    if (at.alt || this.tool === 'pick') {
      if (inside) { this.label = m.labels[y * m.w + x]; this.picked(this.label); }
      return;
    }
    if (this.label >= this.doc.regions.length) this.label = 0;
    if (this.tool === 'polygon') { this.corner(at); return; }
    if (['bucket', 'wand', 'move'].includes(this.tool) && !inside) return;
    this.doc.begin(this.tool);
    this.g = { side: at.side, tool: this.tool, x: at.x, y: at.y, label: at.ctrl || this.tool === 'eraser' ? 0 : this.label,
      points: [at.x, at.y], seen: [new Set(), new Set()], shift: at.shift };
    switch (this.tool) {
      case 'bucket':
        this.both(x, y, (px, py) => raster.bucket(this.labels(), m.w, m.h, px, py, this.g.label, at.shift));
        break;
      case 'wand':
        this.g.tolerance = this.tolerance;
        this.cast();
        break;
      case 'move':
        this.g.piece = raster.piece(m.labels, m.w, m.h, x, y);
        break;
      case 'lasso':
        break;
      default:
        this.stroke(at.x, at.y);
    }
  }

  // slide goes on to another place.
  slide(at) {
    const g = this.g;
    if (this.corners) { this.corners.to = this.snapped(at); return; }
    if (!g) return;
    const m = this.doc[g.side];
    switch (g.tool) {
      case 'brush': case 'eraser': case 'cells':
        this.stroke(at.x, at.y);
        break;
      case 'lasso':
        g.points.push(at.x, at.y);
        break;
      case 'wand':
        this.tolerance = Math.round(Math.min(255, Math.max(0, g.tolerance + (at.x - g.x) * at.zoom / 2)));
        this.cast();
        break;
      case 'move': {
        const dx = Math.round(at.x - g.x), dy = Math.round(at.y - g.y);
        this.doc.touch(g.side, raster.moved(this.labels(), this.doc.before(g.side), m.w, m.h, g.piece, dx, dy));
        break;
      }
    }
  }

  // release ends the gesture: one step to undo.
  release() {
    const g = this.g;
    if (!g) return;
    if (g.tool === 'lasso') this.outline(g.side, g.points, g.label);
    this.g = null;
    this.doc.commit();
  }

  labels() { return this.doc.labels(this.g.side); }

  // both does something at a place and, when mirroring, at its mirror image.
  both(x, y, f) {
    const { side } = this.g, m = this.doc[side];
    this.doc.touch(side, f(x, y, 0));
    if (this.mirror) this.doc.touch(side, f(Number.isInteger(x) ? m.w - 1 - x : m.w - x, y, 1));
  }

  stroke(x, y) {
    const g = this.g, m = this.doc[g.side], r = this.size / 2;
    if (g.tool === 'cells') {
      const of = this.cellsOf[g.side];
      const n = Math.max(1, Math.ceil(Math.hypot(x - g.x, y - g.y) / Math.max(2, r)));
      for (let i = 1; i <= n; i++) {
        this.both(g.x + (x - g.x) * i / n, g.y + (y - g.y) * i / n, (px, py, k) => of && of.length === m.labels.length
          ? raster.cells(this.labels(), m.w, m.h, of, px, py, r, g.label, g.seen[k])
          : raster.disc(this.labels(), m.w, m.h, px, py, r, g.label));
      }
    } else {
      const ax = g.x, ay = g.y;
      this.doc.touch(g.side, raster.line(this.labels(), m.w, m.h, ax, ay, x, y, r, g.label));
      if (this.mirror) this.doc.touch(g.side, raster.line(this.labels(), m.w, m.h, m.w - ax, ay, m.w - x, y, r, g.label));
    }
    g.x = x;
    g.y = y;
  }

  // cast tries the wand with the tolerance as it is.
  cast() {
    const g = this.g, m = this.doc[g.side], rgba = this.pictures[g.side];
    this.labels().set(this.doc.before(g.side));
    this.doc.touch(g.side, [0, 0, m.w, m.h]);
    this.both(Math.floor(g.x), Math.floor(g.y), (x, y) => rgba && rgba.length === 4 * m.labels.length
      ? raster.wand(this.labels(), m.w, m.h, rgba, x, y, this.tolerance, g.label, g.shift)
      : raster.bucket(this.labels(), m.w, m.h, x, y, g.label, g.shift));
  }

  outline(side, points, label) {
    const m = this.doc[side];
    this.doc.touch(side, raster.polygon(this.doc.labels(side), m.w, m.h, points, label));
    if (this.mirror) {
      this.doc.touch(side, raster.polygon(this.doc.labels(side), m.w, m.h, points.map((v, i) => i % 2 ? v : m.w - v), label));
    }
  }

  // --- polygon: a gesture of many clicks ---

  snapped(at) {
    const p = this.corners.points, ax = p.at(-2), ay = p.at(-1);
    if (!at.shift) return [at.x, at.y];
    const long = Math.hypot(at.x - ax, at.y - ay), turn = Math.PI / 4;
    const angle = Math.round(Math.atan2(at.y - ay, at.x - ax) / turn) * turn;
    return [ax + long * Math.cos(angle), ay + long * Math.sin(angle)];
  }

  corner(at) {
    if (!this.corners || this.corners.side !== at.side) {
      this.corners = { side: at.side, points: [at.x, at.y], to: null, label: at.ctrl ? 0 : this.label };
      return;
    }
    const p = this.corners.points;
    if (p.length >= 6 && (at.clicks > 1 || Math.hypot(at.x - p[0], at.y - p[1]) * at.zoom < CLOSE)) { this.close(); return; }
    p.push(...this.snapped(at));
  }

  // close fills the polygon.
  close() {
    const c = this.corners;
    this.corners = null;
    if (!c || c.points.length < 6) return;
    this.doc.begin('polygon');
    this.outline(c.side, c.points, Math.min(c.label, this.doc.regions.length - 1));
    this.doc.commit();
  }

  // --- whole maps ---

  flip(side, upsideDown) {
    const m = this.doc[side];
    if (!m) return;
    this.drop();
    this.doc.begin('mirror');
    this.doc.touch(side, raster.flip(this.doc.labels(side), m.w, m.h, upsideDown));
    this.doc.commit();
  }
}
