// A map on the screen: drawn over its picture, moved and enlarged, painted on
// with mouse, pen, fingers or keys.

import { parseColour } from './doc.js';

const LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

export class MapView {
  // box is the element that holds the view; toolbox is shared by all views.
  constructor(box, side, doc, toolbox, { label, changed = () => {} }) {
    Object.assign(this, { box, side, doc, toolbox, changed });
    this.canvas = document.createElement('canvas');
    this.over = document.createElement('canvas');
    this.over.className = 'over';
    this.over.tabIndex = 0;
    this.over.setAttribute('role', 'application');
    this.over.setAttribute('aria-label', label);
    this.over.setAttribute('aria-describedby', 'map-keys');
    box.append(this.canvas, this.over);
    this.flat = document.createElement('canvas'); // the map in its colours, a pixel for each
    this.picture = null;
    this.opacity = 0.8;
    this.scale = 1;
    this.x = this.y = 0; // of the map's corner, in CSS pixels
    this.fitted = true; // follows the size of the box
    this.pointer = null; // where the pointer is, in map pixels
    this.cross = null; // where the keyboard's cursor is
    this.fingers = new Map();
    this.light = -1; // the region that is lit up
    this.fresh();
    doc.listeners.add(c => this.hear(c));
    new ResizeObserver(() => this.resize()).observe(box);
    this.listen();
  }

  get map() { return this.doc[this.side]; }

  // --- drawing ---

  hear(c) {
    if (c.regions) { this.colours = null; this.dirty([0, 0, Infinity, Infinity]); }
    if (c.side === this.side) {
      if (c.size) this.fresh();
      else if (c.rect) this.dirty(c.rect);
    }
    if (c.step) this.draw();
  }

  // fresh takes up a map of another size.
  fresh() {
    const m = this.map;
    this.image = null;
    if (m) {
      this.flat.width = m.w;
      this.flat.height = m.h;
      this.image = new ImageData(m.w, m.h);
      this.words = new Uint32Array(this.image.data.buffer);
      this.rect = [0, 0, m.w, m.h];
    }
    if (this.fitted) this.fit();
    this.draw();
  }

  dirty(r) {
    if (!this.map) return;
    const m = this.map, n = this.rect;
    r = [Math.max(0, r[0]), Math.max(0, r[1]), Math.min(m.w, r[2]), Math.min(m.h, r[3])];
    this.rect = n ? [Math.min(n[0], r[0]), Math.min(n[1], r[1]), Math.max(n[2], r[2]), Math.max(n[3], r[3])] : r;
    this.draw();
  }

  // draw asks for a frame.
  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.paint(); });
  }

  // flush brings the flat picture up to date where labels changed.
  flush() {
    const m = this.map, r = this.rect;
    if (!m || !r || !this.image) return;
    this.colours ??= Uint32Array.from({ length: 256 }, (_, i) => {
      const [red, g, b] = parseColour(this.doc.regions[i]?.colour ?? '#000000');
      return LITTLE ? (255 << 24 | b << 16 | g << 8 | red) >>> 0 : (red << 24 | g << 16 | b << 8 | 255) >>> 0;
    });
    const { words, colours } = this;
    for (let y = r[1]; y < r[3]; y++) {
      for (let i = y * m.w + r[0], end = y * m.w + r[2]; i < end; i++) words[i] = colours[m.labels[i]];
    }
    if (r[2] > r[0] && r[3] > r[1]) this.flat.getContext('2d').putImageData(this.image, 0, 0, r[0], r[1], r[2] - r[0], r[3] - r[1]);
    this.rect = null;
  }

  paint() {
    const { canvas, map: m } = this;
    if (!canvas.width) return;
    this.flush();
    const c = canvas.getContext('2d'), dpr = devicePixelRatio;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    if (m) {
      c.setTransform(dpr * this.scale, 0, 0, dpr * this.scale, dpr * this.x, dpr * this.y);
      c.globalAlpha = 1;
      if (this.picture) {
        c.imageSmoothingEnabled = true;
        c.drawImage(this.picture, 0, 0, m.w, m.h);
      }
      c.globalAlpha = this.picture ? this.opacity : 1;
      c.imageSmoothingEnabled = this.scale < 1;
      c.drawImage(this.flat, 0, 0);
      if (this.light >= 0) this.drawLight(c);
    }
    this.paintOver();
  }

  // drawLight lays stripes over a region.
  drawLight(c) {
    const m = this.map;
    const mask = new ImageData(m.w, m.h), words = new Uint32Array(mask.data.buffer), band = Math.max(2, Math.round(4 / this.scale));
    for (let i = 0; i < m.labels.length; i++) {
      if (m.labels[i] !== this.light) continue;
      const x = i % m.w, y = (i - x) / m.w;
      words[i] = ((x + y) / band | 0) % 2 ? 0xff000000 : 0xffffffff;
    }
    const sheet = new OffscreenCanvas(m.w, m.h);
    sheet.getContext('2d').putImageData(mask, 0, 0);
    c.globalAlpha = 0.75;
    c.drawImage(sheet, 0, 0);
  }

  lightUp(region) {
    if (this.light === region) return;
    this.light = region;
    this.draw();
  }

  // paintOver draws the brush, the lasso and the keyboard's cursor.
  paintOver() {
    const { over, toolbox: t, map: m } = this;
    const c = over.getContext('2d'), dpr = devicePixelRatio;
    c.setTransform(dpr, 0, 0, dpr, 0, 0);
    c.clearRect(0, 0, over.width, over.height);
    if (!m) return;
    const at = (x, y) => [this.x + x * this.scale, this.y + y * this.scale];
    const both = path => {
      c.beginPath(); path(); c.lineWidth = 3; c.strokeStyle = '#000a'; c.stroke();
      c.lineWidth = 1.25; c.strokeStyle = '#fff'; c.stroke();
    };
    both(() => c.rect(this.x - 0.5, this.y - 0.5, m.w * this.scale + 1, m.h * this.scale + 1));
    const p = this.pointer ?? this.cross;
    if (p && t.tool in t.sizes && !this.panning) {
      const [x, y] = at(p[0], p[1]), r = Math.max(1.5, t.size / 2 * this.scale);
      both(() => c.arc(x, y, r, 0, 7));
      if (t.mirror) both(() => c.arc(...at(m.w - p[0], p[1]), r, 0, 7));
    }
    if (this.cross && !this.pointer) {
      const [x, y] = at(...this.cross);
      both(() => { c.moveTo(x - 9, y); c.lineTo(x + 9, y); c.moveTo(x, y - 9); c.lineTo(x, y + 9); });
    }
    const lines = t.corners?.side === this.side ? [...t.corners.points, ...(t.corners.to ?? [])]
      : t.g?.side === this.side && t.g.tool === 'lasso' ? t.g.points : null;
    if (lines) {
      both(() => { for (let i = 0; i < lines.length; i += 2) c.lineTo(...at(lines[i], lines[i + 1])); });
      if (t.corners) both(() => c.arc(...at(lines[0], lines[1]), 5, 0, 7));
    }
    if (t.mirror) {
      c.setLineDash([5, 5]);
      both(() => { c.moveTo(...at(m.w / 2, 0)); c.lineTo(...at(m.w / 2, m.h)); });
      c.setLineDash([]);
    }
  }

  // --- place and size ---

  resize() {
    const { clientWidth: w, clientHeight: h } = this.box;
    for (const e of [this.canvas, this.over]) {
      e.width = Math.round(w * devicePixelRatio);
      e.height = Math.round(h * devicePixelRatio);
    }
    if (this.fitted) this.fit();
    this.paint();
  }

  fit() {
    const m = this.map;
    this.fitted = true;
    if (!m || !this.box.clientWidth) return;
    this.scale = Math.min((this.box.clientWidth - 24) / m.w, (this.box.clientHeight - 24) / m.h);
    this.x = (this.box.clientWidth - m.w * this.scale) / 2;
    this.y = (this.box.clientHeight - m.h * this.scale) / 2;
    this.draw();
  }

  // zoom enlarges by a factor around a point of the box.
  zoom(factor, cx = this.box.clientWidth / 2, cy = this.box.clientHeight / 2) {
    const scale = Math.min(64, Math.max(0.02, this.scale * factor));
    factor = scale / this.scale;
    this.x = cx - (cx - this.x) * factor;
    this.y = cy - (cy - this.y) * factor;
    this.scale = scale;
    this.fitted = false;
    this.draw();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.draw();
  }

  // --- pointers and keys ---

  place(e) {
    const r = this.over.getBoundingClientRect();
    return { side: this.side, x: (e.clientX - r.left - this.x) / this.scale, y: (e.clientY - r.top - this.y) / this.scale,
      zoom: this.scale, shift: e.shiftKey, ctrl: e.ctrlKey || e.metaKey, alt: e.altKey, clicks: e.detail };
  }

  listen() {
    const o = this.over;
    o.addEventListener('pointerdown', e => this.down(e));
    o.addEventListener('pointermove', e => this.move(e));
    o.addEventListener('pointerup', e => this.up(e));
    o.addEventListener('pointercancel', e => this.up(e));
    o.addEventListener('pointerleave', () => { this.pointer = null; this.paintOver(); });
    o.addEventListener('contextmenu', e => e.preventDefault());
    o.addEventListener('wheel', e => this.wheel(e), { passive: false });
    o.addEventListener('keydown', e => this.key(e));
    o.addEventListener('keyup', e => { if (e.key === ' ') { this.space = false; o.classList.remove('grab'); } });
    // A key that was let go elsewhere must not stay down.
    o.addEventListener('blur', () => { this.space = false; o.classList.remove('grab'); this.cross = null; this.paintOver(); });
    o.addEventListener('focus', () => this.changed('focus'));
  }

  down(e) {
    this.over.focus({ preventScroll: true });
    this.over.setPointerCapture(e.pointerId);
    this.cross = null;
    if (e.pointerType === 'touch') {
      this.fingers.set(e.pointerId, [e.clientX, e.clientY]);
      if (this.fingers.size > 1) { this.toolbox.drop(); this.pinched = true; return; }
    }
    if (e.button === 1 || this.space || e.button === 2) {
      e.preventDefault();
      this.panning = [e.clientX, e.clientY];
      return;
    }
    if (e.button === 0) this.toolbox.press(this.place(e));
    this.move(e);
    this.draw();
  }

  move(e) {
    const p = this.place(e);
    this.pointer = [p.x, p.y];
    if (this.fingers.has(e.pointerId) && this.fingers.size > 1) { this.pinch(e); return; }
    if (this.panning) {
      this.pan(e.clientX - this.panning[0], e.clientY - this.panning[1]);
      this.panning = [e.clientX, e.clientY];
      return;
    }
    if (this.toolbox.g?.side === this.side && e.buttons) {
      for (const c of e.getCoalescedEvents?.() ?? []) this.toolbox.slide(this.place(c));
    }
    this.toolbox.slide(p);
    this.paintOver();
  }

  up(e) {
    this.fingers.delete(e.pointerId);
    if (this.panning) { this.panning = null; return; }
    if (this.pinched) { this.pinched = this.fingers.size > 0; return; }
    if (e.type === 'pointercancel') this.toolbox.drop();
    else this.toolbox.release();
    this.draw();
  }

  pinch(e) {
    const other = [...this.fingers].find(([id]) => id !== e.pointerId)[1], old = this.fingers.get(e.pointerId);
    const r = this.over.getBoundingClientRect();
    const was = Math.hypot(old[0] - other[0], old[1] - other[1]), is = Math.hypot(e.clientX - other[0], e.clientY - other[1]);
    this.pan((e.clientX - old[0]) / 2, (e.clientY - old[1]) / 2);
    if (was > 0) this.zoom(is / was, (e.clientX + other[0]) / 2 - r.left, (e.clientY + other[1]) / 2 - r.top);
    this.fingers.set(e.pointerId, [e.clientX, e.clientY]);
  }

  wheel(e) {
    e.preventDefault();
    const r = this.over.getBoundingClientRect();
    if (e.ctrlKey || e.metaKey || !(this.toolbox.tool in this.toolbox.sizes) && !e.deltaX) {
      this.zoom(Math.exp(-e.deltaY / 300), e.clientX - r.left, e.clientY - r.top);
    } else if (e.shiftKey || Math.abs(e.deltaX) > 0) {
      this.pan(-(e.deltaX || e.deltaY), e.deltaX ? -e.deltaY : 0);
    } else {
      this.toolbox.resize(e.deltaY < 0 ? 1 : -1);
      this.changed('size');
      this.paintOver();
    }
  }

  // key moves a cursor of its own, so that maps can be painted without a pointer:
  // arrows move it by half a brush (Shift: a pixel), Ctrl with them draws, Enter
  // presses, Space held moves the map.
  key(e) {
    const m = this.map, arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!m) return;
    if (e.key === ' ') {
      this.space = true;
      this.over.classList.add('grab');
      e.preventDefault();
    } else if (arrows[e.key]) {
      e.preventDefault();
      const d = arrows[e.key];
      if (this.space) { this.pan(-40 * d[0], -40 * d[1]); return; }
      const from = this.cross ?? this.pointer ?? [m.w / 2, m.h / 2], by = e.shiftKey ? 1 : Math.max(1, this.toolbox.size / 2);
      this.pointer = null;
      this.cross = [Math.min(m.w, Math.max(0, from[0] + by * d[0])), Math.min(m.h, Math.max(0, from[1] + by * d[1]))];
      if (e.ctrlKey || e.metaKey) {
        this.toolbox.press(this.at(from));
        this.toolbox.slide(this.at(this.cross));
        this.toolbox.release();
      }
      this.paintOver();
    } else if (e.key === 'Enter') {
      e.preventDefault();
      if (this.toolbox.corners && (!this.cross || e.shiftKey)) this.toolbox.close();
      else {
        this.cross ??= [m.w / 2, m.h / 2];
        this.toolbox.press({ ...this.at(this.cross), shift: e.shiftKey, ctrl: e.ctrlKey, alt: e.altKey });
        this.toolbox.release();
      }
      this.draw();
    } else if (e.key === '+' || e.key === '=') this.zoom(1.25);
    else if (e.key === '-') this.zoom(0.8);
    else if (e.key === '0') this.fit();
  }

  at(p) { return { side: this.side, x: p[0], y: p[1], zoom: this.scale, clicks: 1 }; }
}
